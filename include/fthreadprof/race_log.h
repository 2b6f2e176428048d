/* race_log.h: the log that the race runtime writes and `fthreadprof race` reads. C++ only.
 *
 * Each process of a run appends to a file of its own, FTHREADPROF_RACE_LOG/PID.N.racelog (N counts
 * executions by the same PID), opened when tracking begins. A record is written by one write(2)
 * when its race is found, so what was found survives a crash, os._exit and SIGKILL; a truncated
 * last record is no error. docs/race-log.md is the format's page; changing it bumps kVersion.
 *
 *   file    = "FTPRACE\n" u32 version, u32 pid, record*
 *   record  = u32 payload size, u16 kind, u16 0, u32 checksum (FNV-1a of the payload), payload
 *
 * Little-endian, unaligned, no padding. `str` is u32 size and that many bytes (UTF-8, surrogates
 * replaced by '?', cut at kMaxString). A record refers only to records before it.
 */
#ifndef FTHREADPROF_RACE_LOG_H_
#define FTHREADPROF_RACE_LOG_H_

#include <cstdint>

namespace fthreadprof::race_log {

inline constexpr char kMagic[8] = {'F', 'T', 'P', 'R', 'A', 'C', 'E', '\n'};
inline constexpr uint32_t kVersion = 2;
inline constexpr uint32_t kMaxString = 1 << 16;
inline constexpr uint32_t kMaxPayload = 1 << 24;

enum class RecordKind : uint16_t {
  // str executable, str Python version ("3.13.5"), u32 parent pid, u32 number of arguments, str
  // each
  // (sys.orig_argv)
  kProcess = 1,
  // u32 number, then each: u8 opcode, u8 number of inline cache units, u16 flags (kOpcode*), str
  // name
  kOpcodes = 2,
  // u32 id, str filename, str qualified name, str module (the __name__ of its globals; "" unknown),
  // u32 first line, u32 flags (co_flags), u32 number of arguments in total (*args and **kwargs
  // too),
  // u32 n and each: str name of the fast local, u8 kind (CO_FAST_*)
  // u32 n and each: str of co_names
  // u32 n and each: u8 ConstantKind, str repr ("" for kOther)
  // u32 n and each: Instruction
  kCode = 3,
  // u32 id (> 1; 1 is "outside of Python", 0 "not known"), u32 parent node, u32 code id, u32 offset
  // of the call in the parent's code, in code units. A node is a function as called from one place.
  kNode = 4,
  // u32 id, u64 native id, str name ("" when not known), u32 id of the thread that started it (0:
  // not
  // known), Place of that start. A later record of the same id replaces it.
  kThread = 5,
  // u32 id, u8 ObjectKind, u8 VariableKind, u64 address, str type name (qualified), str key (repr
  // of
  // the index, key or name; "" where there is none or no C-level repr), Access earlier, Access
  // later.
  kRace = 6,
  // u32 race id, u64 how often it was seen so far. The last one counts.
  kCount = 7,
  // str: a sentence for the user about what was not seen ("shadow memory is full: ...").
  kNotice = 8,
  // u64 threads, u64 objects with a history at their most, u64 bytes of shadow memory. The process
  // ended in good order.
  kEnd = 9,
  // u32 race id, str test that the earlier access's thread ran ("" none), str the later one's. Only
  // where there is one.
  kTests = 10,
};

// Instruction: u32 offset (code units), u8 opcode (not specialised), u32 argument (EXTENDED_ARG is
// folded in, and no instruction of its own), i32 popped, i32 pushed (as CPython's metadata tells;
// -1 unknown), u32 line (0: none), u32 jump target (code units; kNoTarget: does not jump)
inline constexpr uint32_t kNoTarget = 0xffffffff;

inline constexpr uint16_t kOpcodeJumps = 1;

// Place: u32 node, u32 offset of the instruction in the node's code, in code units
// Access: u32 thread id, u8 1 for a write, u8 operation (FTP_RACE_OPERATIONS), Place,
//         u32 number of locks held, each: u64 address, u8 LockKind, Place where it was acquired

enum class ConstantKind : uint8_t {
  kOther,
  kNone,
  kBool,
  kInt,
  kFloat,
  kStr,
  kBytes,
  kTuple,
  kCode
};

enum class ObjectKind : uint8_t {
  kList = 1,
  kDict = 2,
  kInstance = 3,  // attributes, __slots__ and the __dict__ of an object
  kClass = 4,
  kModule = 5,  // a module's globals
  kCell = 6,
  kSet = 7,
  kDeque = 8,
  kBytearray = 9,
  kArray = 10,
  kIterator = 11,  // generators too
};

// What has elements that come and go.
constexpr bool IsContainer(ObjectKind kind) {
  return kind == ObjectKind::kList || kind == ObjectKind::kDict ||
         (kind >= ObjectKind::kSet && kind <= ObjectKind::kArray);
}

enum class VariableKind : uint8_t {
  kElement = 1,    // list[index], dict[key], an attribute, a global, a cell's content
  kStructure = 2,  // which elements or keys there are
  kOrder = 3,      // list: which element is at which index; dict: that all keys stay
};

enum class LockKind : uint8_t { kLock = 1, kRLock = 2 };

}  // namespace fthreadprof::race_log

#endif  // FTHREADPROF_RACE_LOG_H_
