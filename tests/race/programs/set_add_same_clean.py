# Each thread adds elements of its own: such additions commute.
import threading

words = set()


def collect(text):
    for word in text.split():
        words.add(word)


threads = [
    threading.Thread(target=collect, args=("the cat and",)),
    threading.Thread(target=collect, args=("a bird sings",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(words))
