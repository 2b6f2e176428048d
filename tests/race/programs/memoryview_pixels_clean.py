import threading

image = bytearray(16)
pixels = memoryview(image)


def draw(color, first, last):
    part = pixels[first:last]
    for index in range(last - first):
        part[index] = color


threads = [
    threading.Thread(target=draw, args=(7, 0, 5)),
    threading.Thread(target=draw, args=(9, 5, 9)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(image))
