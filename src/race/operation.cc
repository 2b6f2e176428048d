#include "race/operation.h"

#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "fthreadprof/race_abi.h"

namespace fthreadprof {
namespace {

enum Operation : uint8_t {
#define FTP_RACE_OPERATION(identifier, name) identifier,
  FTP_RACE_OPERATIONS(FTP_RACE_OPERATION)
#undef FTP_RACE_OPERATION
};

constexpr std::string_view kNames[] = {
#define FTP_RACE_OPERATION(identifier, name) name,
    FTP_RACE_OPERATIONS(FTP_RACE_OPERATION)
#undef FTP_RACE_OPERATION
};

constexpr OperationTraits Atomic(std::string_view phrase) { return {phrase, Promise::kAtomic}; }
constexpr OperationTraits AtomicOnElement(std::string_view phrase) {
  return {phrase, Promise::kAtomic, true};
}
constexpr OperationTraits Visible(std::string_view phrase) {
  return {phrase, Promise::kIntermediateStates};
}
constexpr OperationTraits NotAtomic(std::string_view phrase) {
  return {phrase, Promise::kNotAtomic};
}
constexpr OperationTraits Iteration() {
  return {"iteration over", Promise::kNotAtomic, false, true};
}
constexpr OperationTraits Single(std::string_view phrase) {
  return {phrase, Promise::kSingleAccess, true};
}

constexpr OperationTraits Traits(uint8_t operation) {
  switch (operation) {
    case kListGetItem:
      return AtomicOnElement("read of");
    case kListSetItem:
      return AtomicOnElement("assignment to");
    case kListDelItem:
      return Visible("deletion from");
    case kListLen:
      return Atomic("len() of");
    case kListContains:
      return Visible("`in` test on");
    case kListIndex:
      return Visible("index() of");
    case kListCount:
      return Visible("count() of");
    case kListSlice:
      return Atomic("slice of");
    case kListSetSlice:
      return Visible("slice assignment to");
    case kListConcat:
      return Atomic("concatenation of");
    case kListRepeat:
      return Atomic("repetition of");
    case kListInplaceRepeat:
      return Visible("`*=` of");
    case kListCompare:
      return Visible("comparison of");
    case kListRepr:
      return Visible("repr() of");
    case kListCopy:
      return Atomic("copy of");
    case kListAppend:
      return Atomic("append() to");
    case kListInsert:
      return Visible("insert() into");
    case kListExtend:
      return Visible("extend() of");
    case kListPop:
      return Atomic("pop() from");
    case kListRemovePython:
      return NotAtomic("remove() from");
    case kListRemove:
      return Visible("remove() from");
    case kListClear:
      return Atomic("clear() of");
    case kListSort:
      return NotAtomic("sort() of");
    case kListReverse:
      return Visible("reverse() of");
    case kListResize:
      return Visible("resize of");
    case kListIterate:
    case kDictIterate:
    case kSetIterate:
    case kDequeIterate:
    case kBytesIterate:
    case kArrayIterate:
      return Iteration();
    case kListInit:
      return Visible("__init__() of");
    case kDictGetItem:
      return AtomicOnElement("read of");
    case kDictSetItem:
      return AtomicOnElement("assignment to");
    case kDictSetDefault:
      return AtomicOnElement("setdefault() of");
    case kDictDelItem:
      return AtomicOnElement("deletion of");
    case kDictPop:
      return AtomicOnElement("pop() of");
    case kDictPopItem:
      return Atomic("popitem() from");
    case kDictClear:
      return Atomic("clear() of");
    case kDictLen:
      return Atomic("len() of");
    case kDictCopy:
      return Atomic("copy of");
    case kDictViewList:
      return Atomic("list of keys or values of");
    case kDictCompare:
      return Visible("comparison of");
    case kDictRepr:
      return Visible("repr() of");
    case kDictUpdate:
      return Visible("update() of");
    case kDictMergeSource:
      return Visible("copy into another dict of");
    case kDictResize:
      return Atomic("insertion or removal of a key in");
    case kSetAdd:
      return Atomic("add() to");
    case kSetRemove:
      return Atomic("removal from");
    case kSetPop:
    case kDequePop:
      return Atomic("pop() from");
    case kSetClear:
    case kDequeClear:
      return Atomic("clear() of");
    case kSetUpdate:
      return Visible("update of");
    case kSetContains:
      return Atomic("`in` test on");
    case kSetLen:
    case kDequeLen:
    case kBytesLen:
    case kArrayLen:
      return Atomic("len() of");
    case kSetCopy:
    case kDequeCopy:
    case kBytesCopy:
      return Atomic("copy of");
    case kSetMergeSource:
      return Visible("copy into another set of");
    case kSetOperator:
      return Atomic("set operation on");
    case kSetCompare:
    case kDequeCompare:
      return Visible("comparison of");
    case kSetRepr:
    case kDequeRepr:
    case kBytesRepr:
      return Visible("repr() of");
    case kDequeGetItem:
    case kBytesGetItem:
    case kArrayGetItem:
      return AtomicOnElement("read of");
    case kDequeSetItem:
    case kBytesSetItem:
    case kArraySetItem:
      return AtomicOnElement("assignment to");
    case kDequeDelItem:
    case kBytesDelItem:
      return Visible("deletion from");
    case kDequeContains:
      return Visible("`in` test on");
    case kDequeIndex:
      return Visible("index() of");
    case kDequeCount:
      return Visible("count() of");
    case kDequeAppend:
    case kBytesAppend:
      return Atomic("append() to");
    case kDequeAppendLeft:
      return Atomic("appendleft() to");
    case kDequePopLeft:
      return Atomic("popleft() from");
    case kDequeExtend:
    case kBytesExtend:
      return Visible("extend() of");
    case kDequeExtendLeft:
      return Visible("extendleft() of");
    case kDequeInsert:
    case kBytesInsert:
      return Visible("insert() into");
    case kDequeRemove:
    case kBytesRemove:
      return Visible("remove() from");
    case kDequeRotate:
      return Visible("rotate() of");
    case kDequeReverse:
    case kBytesReverse:
      return Visible("reverse() of");
    case kDequeInplaceRepeat:
    case kBytesInplaceRepeat:
      return Visible("`*=` of");
    case kBytesRead:
    case kArrayRead:
      return Visible("read of");
    case kBytesSlice:
      return Atomic("slice of");
    case kBytesSetSlice:
      return Visible("slice assignment to");
    case kBytesConcat:
      return NotAtomic("concatenation of");
    case kBytesRepeat:
      return Atomic("repetition of");
    case kBytesCompare:
      return NotAtomic("comparison of");
    case kBytesPop:
      return Atomic("pop() from");
    case kBytesClear:
      return Atomic("clear() of");
    case kArrayResize:
      return NotAtomic("append() to");
    case kArrayChange:
      return NotAtomic("change of");
    case kBufferGetItem:
      return {"read through a memoryview of", Promise::kNotAtomic, true};
    case kBufferSetItem:
      return {"write through a memoryview of", Promise::kNotAtomic, true};
    case kIteratorNext:
    case kGeneratorNext:
      return NotAtomic("next() of");
    case kHeapPush:
      return NotAtomic("heappush() onto");
    case kHeapPop:
      return NotAtomic("heappop() from");
    case kHeapReplace:
      return NotAtomic("heapreplace() in");
    case kHeapPushPop:
      return NotAtomic("heappushpop() in");
    case kHeapify:
      return NotAtomic("heapify() of");
    case kDictMoveToEnd:
      return Visible("move_to_end() in");
    case kAttributeLoad:
    case kSlotLoad:
    case kClassLoad:
    case kGlobalLoad:
    case kCellLoad:
      return Single("read of");
    case kAttributeStore:
    case kSlotStore:
    case kClassStore:
    case kGlobalStore:
    case kCellStore:
      return Single("write of");
    default:
      return Visible("access to");
  }
}

template <size_t... kOperations>
constexpr auto AllTraits(std::index_sequence<kOperations...>) {
  return std::array<OperationTraits, sizeof...(kOperations)>{
      Traits(static_cast<uint8_t>(kOperations))...};
}

constexpr auto kTraits = AllTraits(std::make_index_sequence<std::size(kNames)>());

}  // namespace

const OperationTraits& TraitsOf(uint8_t operation) {
  return kTraits[operation < std::size(kNames) ? operation : kNone];
}

uint8_t IterationOf(uint8_t operation) {
  if (operation == kListGetItem) return kListIterate;
  return operation == kDictGetItem ? kDictIterate : operation;
}

uint8_t GlobalAccess(bool is_write) { return is_write ? kGlobalStore : kGlobalLoad; }

bool ReplacesElement(uint8_t operation) {
  return operation == kListSetItem || operation == kDictSetItem || operation == kDequeSetItem ||
         operation == kBytesSetItem || operation == kArraySetItem || operation == kBufferSetItem;
}

std::string_view OperationName(uint8_t operation) {
  return kNames[operation < std::size(kNames) ? operation : kNone];
}

}  // namespace fthreadprof
