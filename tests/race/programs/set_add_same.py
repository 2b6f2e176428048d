# set.add is atomic: which thread's equal object stays is open, no more.
# expect: ordering words
import threading

words = set()


def collect(text):
    for word in text.split():
        words.add(word)


threads = [
    threading.Thread(target=collect, args=("the cat and the dog",)),
    threading.Thread(target=collect, args=("the dog and the bird",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(words))
