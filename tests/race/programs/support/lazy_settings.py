"""Imported by several threads at once."""

names = ["low", "high"]
limit = 0
for _name in names:
    limit += len(_name)
