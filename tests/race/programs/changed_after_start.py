# A thread is after what came before its start, not after what comes then.
# expect: data-race Parcel.content
# racy-twin-of: edge_thread_start
import threading


class Parcel:
    content = None

    def unpack(self):
        str(self.content)


parcel = Parcel()
thread = threading.Thread(target=parcel.unpack)
thread.start()
parcel.content = "book"
thread.join()
print(parcel.content)
