# expect: lost-update Particle.hits
import threading


class Particle:
    __slots__ = ("hits", "mass")

    def __init__(self):
        self.hits = 0
        self.mass = 1.0


def collide(particle):
    for _ in range(50):
        particle.hits = particle.hits + 1


particle = Particle()
threads = [threading.Thread(target=collide, args=(particle,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(particle.hits)
