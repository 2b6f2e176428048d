import threading


def work():
    import colorsys
    import decimal
    import fractions
    import json
    import textwrap
    import xml.etree.ElementTree as tree

    colorsys.rgb_to_hsv(0.1, 0.2, 0.3)
    json.dumps({"a": [1, 2]})
    textwrap.fill("some words " * 10)
    decimal.Decimal("1.5") + decimal.Decimal(2)
    fractions.Fraction(1, 3)
    tree.fromstring("<a><b/></a>")


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
