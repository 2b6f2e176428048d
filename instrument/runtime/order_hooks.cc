// order_hooks: order that comes from outside of Python objects: pipes, sockets, files and signals;
// and what the program itself says (the module _fthreadprof_annotations, behind fthreadprof.py).
//
// Who reads from a pipe, file or connection is after all who wrote to it before: as ThreadSanitizer
// has it, which bytes were read is not looked at.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>

#include "accesses.h"
#include "synchronization.h"

namespace fthreadprof::race {
namespace {

// Keys of SyncTable that no object has as its address. They live as long as the process, so they
// are few: two files may share one.
uintptr_t ChannelAddress(uint64_t hash) {
  constexpr uint64_t kChannels = 4096;
  return (uint64_t{1} << 63) | Mix(hash) % kChannels << 4;
}
constexpr uintptr_t kSignals = uintptr_t{1} << 62;

// Which socket is the other end of one without a name, by their inodes: each has its own above its
// pair's number. What has a place keeps it: inodes are used again only after 2^32 sockets. Pairs
// that came when it was full, or that others made, count as one.
class SocketPairs {
 public:
  void Add(uint32_t inode, uint32_t other) {
    if (count_.fetch_add(1, std::memory_order_relaxed) >= kPlaces / 4) return;
    const uint32_t pair = inode < other ? inode : other;
    Insert(inode, pair);
    Insert(other, pair);
  }
  // 0 if it is not known.
  uint32_t PairOf(uint32_t inode) const {
    for (size_t place = Mix(inode);; ++place) {
      const uint64_t entry = places_[place % kPlaces].load(std::memory_order_acquire);
      if (entry == 0 || entry >> 32 == inode) return static_cast<uint32_t>(entry);
    }
  }

 private:
  static constexpr size_t kPlaces = 1 << 15;

  void Insert(uint32_t inode, uint32_t pair) {
    const uint64_t entry = uint64_t{inode} << 32 | pair;
    for (size_t place = Mix(inode);; ++place) {
      uint64_t expected = 0;
      if (places_[place % kPlaces].compare_exchange_strong(expected, entry)) return;
    }
  }

  std::atomic<uint64_t> places_[kPlaces] = {};
  std::atomic<size_t> count_{0};
};
SocketPairs socket_pairs;

uint32_t InodeOf(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? static_cast<uint32_t>(status.st_ino) : 0;
}

struct Endpoint {
  sockaddr_storage address = {};
  socklen_t size = sizeof(sockaddr_storage);
  bool known = false;
};

uint64_t PortOf(const Endpoint& end) {
  if (end.address.ss_family == AF_INET6) {
    return reinterpret_cast<const sockaddr_in6&>(end.address).sin6_port;
  }
  return reinterpret_cast<const sockaddr_in&>(end.address).sin_port;
}

// 0 for a socket without a name.
uint64_t HashOfPath(const Endpoint& end) {
  constexpr size_t kStart = offsetof(sockaddr_un, sun_path);
  if (end.size <= kStart) return 0;
  return HashBytes(reinterpret_cast<const char*>(&end.address) + kStart, end.size - kStart);
}

bool IsInternet(const Endpoint& end) {
  return end.address.ss_family == AF_INET || end.address.ss_family == AF_INET6;
}

bool IsDatagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

// Of a socket that is not connected, and what is sent to an address.
constexpr uint64_t kNoPeer = 1;

// The same for both ends of a connection: its pair of ports, the path of the one that has a name,
// or the pair of two without. Of datagrams, whose receiver may have no peer, the receiver's name
// alone.
uint64_t HashOfConnection(int fd, uint32_t inode, bool write) {
  Endpoint here;
  Endpoint there;
  here.known = getsockname(fd, reinterpret_cast<sockaddr*>(&here.address), &here.size) == 0;
  there.known = getpeername(fd, reinterpret_cast<sockaddr*>(&there.address), &there.size) == 0;
  uint64_t path = 0;
  if (IsDatagram(fd)) {
    const Endpoint& receiver = write ? there : here;
    if (!receiver.known) return kNoPeer;
    if (IsInternet(receiver)) return PortOf(receiver) << 32;
    path = HashOfPath(receiver);
  } else {
    if (!here.known || !there.known) return kNoPeer;
    if (IsInternet(here)) {
      return (PortOf(here) ^ PortOf(there)) << 32 | (PortOf(here) + PortOf(there));
    }
    path = HashOfPath(here) ^ HashOfPath(there);
  }
  return path != 0 ? path : socket_pairs.PairOf(inode);
}

// What the descriptor's bytes go through; 0 for a terminal and other devices, and where the edge is
// switched off.
uintptr_t ChannelOf(int fd, bool write) {
  struct stat status;
  if (fstat(fd, &status) != 0) return 0;
  const uint64_t identity = Mix(status.st_dev) + status.st_ino;
  if (S_ISFIFO(status.st_mode)) return IsOn(kPipeEdge) ? ChannelAddress(identity) : 0;
  if (S_ISREG(status.st_mode)) return IsOn(kFileEdge) ? ChannelAddress(identity) : 0;
  if (!S_ISSOCK(status.st_mode) || !IsOn(kSocketEdge)) return 0;
  return ChannelAddress(HashOfConnection(fd, static_cast<uint32_t>(status.st_ino), write));
}

// An event loop wakes itself through a socket; what it promises is call_soon_threadsafe.
bool IsLoopsOwn(RaceThread& thread) {
  const ShadowFrame* where = CurrentFunction(thread, CurrentFrame());
  return where != nullptr && Traits::Unpack(where->traits).region == Region::kEventLoop;
}

void FdWrite(int fd) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  KeepErrno keep;
  const uintptr_t channel = ChannelOf(fd, /*write=*/true);
  if (channel == 0 || IsLoopsOwn(*thread)) return;
  detector.Release(*thread, channel);
}

void FdRead(int fd) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  KeepErrno keep;
  const uintptr_t channel = ChannelOf(fd, /*write=*/false);
  if (channel == 0 || IsLoopsOwn(*thread)) return;
  detector.TickIfRequested(*thread);
  detector.Acquire(*thread, channel);
  // A datagram may come from who named this socket only when it was sent.
  if (IsDatagram(fd)) detector.Acquire(*thread, ChannelAddress(kNoPeer));
}

int FdOf(PyObject* socket) {
  // PySocketSockObject: PyObject_HEAD, sock_fd (Modules/socketmodule.h)
  struct Socket {
    PyObject head;
    int fd;
  };
  return reinterpret_cast<Socket*>(socket)->fd;
}

// The socket that a TLS connection's bytes go through: whoever reads or writes has it. nullptr when
// they go through memory.
PyObject* SocketBelow(PyObject* weak) {
  PyObject* socket =
      weak == nullptr ? Py_None : reinterpret_cast<PyWeakReference*>(weak)->wr_object;
  return socket == Py_None ? nullptr : socket;
}

// --- What the program says: fthreadprof.py

PyObject* HappensBefore(PyObject*, PyObject* object) {
  RaceThread* thread = ftp_race_tracking != 0 ? Current() : nullptr;
  if (thread != nullptr && IsOn(kAnnotationEdge)) {
    SetHeader(object, kSynchronizes);
    detector.Release(*thread, reinterpret_cast<uintptr_t>(object), SyncAspect::kAnnotated);
  }
  Py_RETURN_NONE;
}

PyObject* HappensAfter(PyObject*, PyObject* object) {
  RaceThread* thread = ftp_race_tracking != 0 ? Current() : nullptr;
  if (thread != nullptr && IsOn(kAnnotationEdge)) {
    detector.Acquire(*thread, reinterpret_cast<uintptr_t>(object), SyncAspect::kAnnotated);
  }
  Py_RETURN_NONE;
}

// A module's variables are in its dict.
PyObject* Benign(PyObject*, PyObject* object) {
  PyObject* named = PyModule_Check(object) ? PyModule_GetDict(object) : object;
  if (IsOn(kAnnotationEdge)) SetHeader(named, kBenign);
  return Py_NewRef(object);
}

PyMethodDef annotations[] = {{"happens_before", HappensBefore, METH_O, nullptr},
                             {"happens_after", HappensAfter, METH_O, nullptr},
                             {"benign", Benign, METH_O, nullptr},
                             {nullptr, nullptr, 0, nullptr}};
PyModuleDef_Slot annotation_slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, nullptr}};
PyModuleDef annotation_module = {PyModuleDef_HEAD_INIT,
                                 "_fthreadprof_annotations",
                                 nullptr,
                                 0,
                                 annotations,
                                 annotation_slots,
                                 nullptr,
                                 nullptr,
                                 nullptr};

PyObject* InitAnnotationModule() { return PyModuleDef_Init(&annotation_module); }

}  // namespace

void AddAnnotationModule() {
  static bool added = false;
  if (added) return;
  added = true;
  PyImport_AppendInittab("_fthreadprof_annotations", InitAnnotationModule);
}

}  // namespace fthreadprof::race

using namespace fthreadprof::race;

FTP_HOOK ftp_race_fd_write(int32_t fd) { FdWrite(fd); }
FTP_HOOK ftp_race_fd_read(int32_t fd, int64_t size) {
  if (size > 0) FdRead(fd);
}
FTP_HOOK ftp_race_socket_write(PyObject* socket) { FdWrite(FdOf(socket)); }
FTP_HOOK ftp_race_socket_read(PyObject* socket, int32_t result) {
  if (result != 0) FdRead(FdOf(socket));
}
FTP_HOOK ftp_race_tls_write(PyObject* weak) {
  if (PyObject* socket = SocketBelow(weak)) FdWrite(FdOf(socket));
}
FTP_HOOK ftp_race_tls_read(PyObject* weak, PyObject* result) {
  PyObject* socket = result == nullptr ? nullptr : SocketBelow(weak);
  if (socket != nullptr) FdRead(FdOf(socket));
}
FTP_HOOK ftp_race_signal_send() {
  RaceThread* thread = Current();
  if (thread != nullptr && IsOn(kSignalEdge)) detector.Release(*thread, kSignals);
}
FTP_HOOK ftp_race_signal_handle() {
  RaceThread* thread = Current();
  if (thread == nullptr || !IsOn(kSignalEdge)) return;
  detector.TickIfRequested(*thread);
  detector.Acquire(*thread, kSignals);
}

// In libc's place: of the ends of a pair nothing else tells that they belong together.
extern "C" __attribute__((visibility("default"))) int socketpair(int domain, int type, int protocol,
                                                                 int ends[2]) noexcept {
  const auto result = static_cast<int>(syscall(SYS_socketpair, domain, type, protocol, ends));
  if (result == 0) socket_pairs.Add(InodeOf(ends[0]), InodeOf(ends[1]));
  return result;
}
