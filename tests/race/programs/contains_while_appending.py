# expect: data-race visited
import threading

visited = ["/"]


def crawl():
    for number in range(10):
        visited.append("/page/%d" % number)


def seen():
    for _ in range(10):
        bool("/page/3" in visited)


threads = [threading.Thread(target=crawl), threading.Thread(target=seen)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(visited))
