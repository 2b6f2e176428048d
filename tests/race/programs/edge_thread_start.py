# edge: thread_start
import _thread


class Parcel:
    content = None


def unpack(parcel, done):
    parcel.content.upper()
    done.release()


def nothing(done):
    done.release()


done = _thread.allocate_lock()
done.acquire()
_thread.start_new_thread(nothing, (done,))  # from here on accesses are tracked
done.acquire()
parcel = Parcel()
parcel.content = "book"
_thread.start_new_thread(unpack, (parcel, done))
done.acquire()
print(parcel.content)
