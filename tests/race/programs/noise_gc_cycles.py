import gc
import threading


class Node:
    def __init__(self, name):
        self.name = name
        self.links = []
        self.by_name = {}


def work():
    for round_number in range(20):
        nodes = [Node("node %d" % number) for number in range(20)]
        for node in nodes:
            node.links.extend(nodes)
            node.by_name.update((other.name, other) for other in nodes)
        del nodes, node
        if round_number % 5 == 0:
            gc.collect()


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
