# edge: thread_is_done
import threading


class Parcel:
    content = None


def pack(parcel):
    parcel.content = "book"


parcel = Parcel()
thread = threading.Thread(target=pack, args=(parcel,))
thread.start()
while thread.is_alive():
    pass
print(parcel.content)
