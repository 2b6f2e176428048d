# edge: thread_join
import threading


class Parcel:
    content = None


def pack(parcel):
    parcel.content = "book"


parcel = Parcel()
thread = threading.Thread(target=pack, args=(parcel,))
thread.start()
thread.join()
print(parcel.content)
