# expect: lost-update Tree.visited
import threading


class Tree:
    def __init__(self):
        self.visited = 0


def visit(tree, depth):
    if depth > 0:
        visit(tree, depth - 1)
    tree.visited += 1


tree = Tree()
threads = [threading.Thread(target=visit, args=(tree, 40)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(tree.visited > 0)
