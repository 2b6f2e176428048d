# A condition serves as the lock.
import threading


class Particle:
    __slots__ = ("changed", "hits", "mass")

    def __init__(self):
        self.changed = threading.Condition()
        self.hits = 0
        self.mass = 1.0


def collide(particle):
    for _ in range(50):
        with particle.changed:
            particle.hits = particle.hits + 1
            particle.changed.notify_all()


particle = Particle()
threads = [threading.Thread(target=collide, args=(particle,)) for _ in range(2)]
for thread in threads:
    thread.start()
with particle.changed:
    particle.changed.wait_for(lambda: particle.hits == 100)
for thread in threads:
    thread.join()
print(particle.hits)
