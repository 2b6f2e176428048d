// extension_locks: the pthread locks of extension modules. The executable has these functions in
// libc's place, so that libraries call them; what libraries other than extension modules lock is
// their own business and would order by accident.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "synchronization.h"

namespace fthreadprof::race {
namespace {

// Whether this is the file of an extension module, or of libstdc++, which waits for them: NAME.so,
// but not libNAME.so; with any NAME where it ends in .cpython-313t-x86_64-linux-gnu.so or .abi3.so.
bool LocksForPython(const char* file) {
  const char* slash = strrchr(file, '/');
  const char* name = slash == nullptr ? file : slash + 1;
  if (strstr(name, ".cpython-") != nullptr || strstr(name, ".abi3.") != nullptr) return true;
  if (strncmp(name, "lib", 3) == 0) return strncmp(name, "libstdc++.so", 12) == 0;
  const size_t length = strlen(name);
  return length > 3 && strcmp(name + length - 3, ".so") == 0;
}

// The file that has the address; nullptr if none. The caller holds locks of the program: this must
// not wait for the loader's own, as dladdr does, which another thread may have while it waits for
// one of those.
const char* FileOf(void* address) {
  dl_find_object object;
  return _dl_find_object(address, &object) == 0 ? object.dlfo_link_map->l_name : nullptr;
}

// The same by the address that a call returns to; remembered, since the look-up takes time.
bool IsExtension(void* caller) {
  constexpr size_t kRemembered = 1024;
  static std::atomic<uintptr_t> remembered[kRemembered];
  const auto address = reinterpret_cast<uintptr_t>(caller);
  std::atomic<uintptr_t>& place = remembered[Mix(address) % kRemembered];
  const uintptr_t known = place.load(std::memory_order_relaxed);
  if (known >> 1 == address) return (known & 1) != 0;
  KeepErrno keep;
  const char* file = FileOf(caller);
  const bool is = file != nullptr && LocksForPython(file);
  place.store(address << 1 | (is ? 1 : 0), std::memory_order_relaxed);
  return is;
}

// A key of SyncTable that no object has as its address.
uintptr_t KeyOf(const void* lock) { return uintptr_t{1} << 61 | reinterpret_cast<uintptr_t>(lock); }

// The calling thread, if what it does with a lock orders it. One that has run no Python yet is not
// adopted here. A function of an extension module that ends in a call may jump there: then the
// caller is who called that function, and only the lock tells.
RaceThread* Locker(const void* lock, void* caller) {
  if (ftp_race_tracking == 0 || self == nullptr || self->busy != 0) return nullptr;
  if (!IsOn(kExtensionLockEdge)) return nullptr;
  return IsExtension(caller) || detector.Knows(*self, KeyOf(lock)) ? self : nullptr;
}

void Taken(const void* lock, int result, void* caller) {
  if (result != 0 && result != EOWNERDEAD) return;
  RaceThread* thread = Locker(lock, caller);
  if (thread == nullptr) return;
  detector.TickIfRequested(*thread);
  detector.Acquire(*thread, KeyOf(lock), SyncAspect::kMain, /*make=*/true);
}

// The call itself, and what it means.
template <typename Function, typename Lock, typename... Arguments>
int Take(Function* function, void* caller, Lock* lock, Arguments... arguments) {
  const int result = function(lock, arguments...);
  Taken(lock, result, caller);
  return result;
}

void Given(const void* lock, void* caller) {
  if (RaceThread* thread = Locker(lock, caller)) detector.Release(*thread, KeyOf(lock));
}

// A wait gives its mutex back and takes it again, even one that times out.
template <typename Function, typename... Arguments>
int Wait(Function* function, void* caller, pthread_cond_t* condition, pthread_mutex_t* mutex,
         Arguments... arguments) {
  Given(mutex, caller);
  const int result = function(condition, mutex, arguments...);
  Taken(mutex, 0, caller);
  return result;
}

void Gone(const void* lock, void* caller) {
  RaceThread* thread = Locker(lock, caller);
  if (thread != nullptr) detector.sync.Remove(detector.arena, thread->blocks, KeyOf(lock));
}

// libc's own. Condition variables have an old version besides, which dlsym may give.
template <typename Function>
Function* Original(std::atomic<Function*>& known, const char* name, const char* version = nullptr) {
  Function* function = known.load(std::memory_order_relaxed);
  if (function != nullptr) [[likely]]
    return function;
  void* found = version == nullptr ? nullptr : dlvsym(RTLD_NEXT, name, version);
  if (found == nullptr) found = dlsym(RTLD_NEXT, name);
  function = reinterpret_cast<Function*>(found);
  known.store(function, std::memory_order_relaxed);
  return function;
}

}  // namespace
}  // namespace fthreadprof::race

using namespace fthreadprof::race;

#define FTP_ORIGINAL(name, ...)                                                                 \
  static std::atomic<decltype(::name)*> original;                                               \
  const auto function = Original<decltype(::name)>(original, #name __VA_OPT__(, ) __VA_ARGS__); \
  void* const caller = __builtin_return_address(0)
#define FTP_LIBC extern "C" __attribute__((visibility("default"))) int

FTP_LIBC pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  FTP_ORIGINAL(pthread_mutex_lock);
  return Take(function, caller, mutex);
}
FTP_LIBC pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  FTP_ORIGINAL(pthread_mutex_trylock);
  return Take(function, caller, mutex);
}
FTP_LIBC pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_mutex_timedlock);
  return Take(function, caller, mutex, until);
}
FTP_LIBC pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                 const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_mutex_clocklock);
  return Take(function, caller, mutex, clock, until);
}
FTP_LIBC pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  FTP_ORIGINAL(pthread_mutex_unlock);
  Given(mutex, caller);
  return function(mutex);
}
FTP_LIBC pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept {
  FTP_ORIGINAL(pthread_mutex_destroy);
  Gone(mutex, caller);
  return function(mutex);
}

FTP_LIBC pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  FTP_ORIGINAL(pthread_cond_wait, "GLIBC_2.3.2");
  return Wait(function, caller, condition, mutex);
}
FTP_LIBC pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                const timespec* until) {
  FTP_ORIGINAL(pthread_cond_timedwait, "GLIBC_2.3.2");
  return Wait(function, caller, condition, mutex, until);
}
FTP_LIBC pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                const timespec* until) {
  FTP_ORIGINAL(pthread_cond_clockwait);
  return Wait(function, caller, condition, mutex, clock, until);
}

// Readers are ordered among each other too, though the lock does not promise it.
FTP_LIBC pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_rdlock);
  return Take(function, caller, lock);
}
FTP_LIBC pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_rwlock_timedrdlock);
  return Take(function, caller, lock, until);
}
FTP_LIBC pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                                    const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_rwlock_clockrdlock);
  return Take(function, caller, lock, clock, until);
}
FTP_LIBC pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_tryrdlock);
  return Take(function, caller, lock);
}
FTP_LIBC pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_wrlock);
  return Take(function, caller, lock);
}
FTP_LIBC pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_rwlock_timedwrlock);
  return Take(function, caller, lock, until);
}
FTP_LIBC pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                                    const timespec* until) noexcept {
  FTP_ORIGINAL(pthread_rwlock_clockwrlock);
  return Take(function, caller, lock, clock, until);
}
FTP_LIBC pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_trywrlock);
  return Take(function, caller, lock);
}
FTP_LIBC pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_unlock);
  Given(lock, caller);
  return function(lock);
}
FTP_LIBC pthread_rwlock_destroy(pthread_rwlock_t* lock) noexcept {
  FTP_ORIGINAL(pthread_rwlock_destroy);
  Gone(lock, caller);
  return function(lock);
}

#undef FTP_LIBC
#undef FTP_ORIGINAL
