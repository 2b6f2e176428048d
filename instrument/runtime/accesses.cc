#include "accesses.h"

#include "delays.h"

namespace fthreadprof::race {
void RememberRecorded(RaceThread& thread, PyObject* object, uint64_t spot, AccessKind kind) {
  thread.cache.Missed(detector.arena, thread.blocks);
  const uint64_t place = PlaceOf(object, LoadHeader(object), spot);
  const uint64_t tag = TagOf(thread, place);
  uint64_t& entry = thread.cache.At(place).tag_and_kinds;
  if ((entry ^ tag) > kAccessKinds) entry = tag;
  entry |= static_cast<uint64_t>(kind);
}

namespace {

VariableKind VariableKindOf(uint64_t key) {
  switch (key) {
    case kStructureKey:
      return VariableKind::kStructure;
    case kOrderKey:
    case kValuesKey:
      return VariableKind::kOrder;
    default:
      return VariableKind::kElement;
  }
}

}  // namespace

uint32_t GenerationOf(PyObject* object, uint16_t bits) {
  // The last generations by address, so that those of one address follow each other. A page has a
  // cache line: its objects are mostly one thread's.
  constexpr uint64_t kPages = 256;
  constexpr uint64_t kLine = 64;
  alignas(kLine) static uint8_t last[kPages * kLine];
  const auto address = reinterpret_cast<uintptr_t>(object);
  uint16_t header = LoadHeader(object);
  while (header >> kGenerationShift == 0) {
    uint8_t& counter = last[Mix(address >> 12) % kPages * kLine + (address >> 4) % kLine];
    const uint32_t number = NextInRing(counter, kGenerations - 1);
    const auto with = static_cast<uint16_t>(header | bits | number << kGenerationShift);
    if (__atomic_compare_exchange_n(HeaderBits(object), &header, with, /*weak=*/false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return number;
    }
  }
  if ((header & bits) != bits) SetHeader(object, bits);
  return header >> kGenerationShift;
}

Shadow* ShadowOf(RaceThread& thread, ShadowTable::Shard& shard, PyObject* object) {
  const auto address = reinterpret_cast<uintptr_t>(object);
  // A resurrected object has the bit, but no shadow any more.
  Shadow* shadow = (LoadHeader(object) & kTracked) != 0 ? shard.Find(address) : nullptr;
  if (shadow != nullptr) return shadow;
  shadow = shard.Make(detector.arena, thread.blocks, address);
  if (shadow == nullptr) return nullptr;
  GenerationOf(object, kTracked);
  return shadow;
}

namespace {

struct Raced {
  bool found = false;
  bool contended = false;  // another thread has touched one of them; only known with a seed
  Access earlier;
  Access later;
  VariableKind variable_kind;
};

// One operation's checks of one object's variables; the first race counts.
class Checks {
 public:
  Checks(RaceThread& thread, Shadow& shadow, const Detector::Request& request, Raced* raced)
      : thread_(thread), shadow_(shadow), request_(request), raced_(raced) {}

  void Variable(uint64_t key, AccessKind kind) {
    Detector::Request request = request_;
    request.kind = kind;
    Access earlier;
    bool races = false;
    shadow_.With(detector.arena, thread_.blocks, key, [&](race::Variable& variable) {
      if (thread_.perturbation.is_on()) {
        raced_->contended |= Detector::IsContended(thread_, variable);
      }
      races = detector.Check(thread_, variable, request, &earlier);
    });
    if (kind != AccessKind::kRead && key > kValuesKey) detector.ElementWritten(thread_, shadow_);
    if (races) Found(earlier, request, VariableKindOf(key));
  }

  void Elements(AccessKind kind) {
    Detector::Request request = request_;
    request.kind = kind;
    Access earlier;
    if (detector.CheckElements(thread_, shadow_, request, &earlier)) {
      Found(earlier, request, VariableKind::kOrder);
    }
  }

 private:
  void Found(const Access& earlier, const Detector::Request& request, VariableKind variable_kind) {
    if (raced_->found) return;
    raced_->found = true;
    raced_->earlier = earlier;
    raced_->later = Detector::MakeAccess(thread_, request);
    raced_->variable_kind = variable_kind;
  }

  RaceThread& thread_;
  Shadow& shadow_;
  const Detector::Request& request_;
  Raced* raced_;
};

void CheckTarget(RaceThread& thread, Shadow& shadow, const Target& target,
                 const Detector::Request& request, Raced* raced) {
  Checks checks(thread, shadow, request, raced);
  const bool gets = request.carries && target.kind == AccessKind::kRead;
  checks.Variable(target.key, target.kind);
  switch (target.scope) {
    case Scope::kVariable:
      return;
    case Scope::kElement:
      if (shadow.order_written) checks.Variable(kOrderKey, AccessKind::kRead);
      if (shadow.values_read && target.kind == AccessKind::kWrite) {
        checks.Variable(kValuesKey, AccessKind::kCommute);
      }
      // Who gets an element that came by append is after who put it there. A dict's elements have
      // variables of their own, however they came; a key that is not there carries nothing.
      if (gets && target.object_kind != ObjectKind::kDict) {
        detector.LearnPublished(thread, shadow, kStructureKey);
      }
      if (gets) detector.LearnPast(thread, shadow, target.key);
      return;
    case Scope::kElements:
      checks.Elements(AccessKind::kRead);
      checks.Variable(kValuesKey, AccessKind::kRead);
      if (shadow.order_written) checks.Variable(kOrderKey, AccessKind::kRead);
      shadow.values_read = true;
      if (gets) detector.LearnPast(thread, shadow);
      return;
    case Scope::kEverything:
      checks.Variable(kStructureKey, AccessKind::kWrite);
      checks.Elements(AccessKind::kWrite);
      if (shadow.values_read) checks.Variable(kValuesKey, AccessKind::kWrite);
      shadow.order_written = true;
      return;
  }
}

void ReportRace(RaceThread& thread, const Target& target, PyObject* object, ObjectKind object_kind,
                const Raced& raced) {
  Busy busy(thread);
  RaceFinding finding = {};
  finding.object_kind = object_kind;
  finding.variable_kind = raced.variable_kind;
  finding.object = object;
  if (finding.variable_kind == VariableKind::kElement) {
    finding.key = target.name;
    finding.index = target.index;
    finding.has_index = target.has_index;
    finding.member = target.member;
  }
  finding.earlier = raced.earlier;
  finding.later = raced.later;
  reporter.Report(finding);
}

}  // namespace

PyObject* OwnerOf(PyObject* dict) {
  if ((LoadHeader(dict) & kTracked) == 0) return nullptr;
  ShadowTable::Shard& shard = detector.shadows.ShardOf(reinterpret_cast<uintptr_t>(dict));
  SpinLockHolder holder(shard.lock);
  const Shadow* shadow = shard.Find(reinterpret_cast<uintptr_t>(dict));
  return shadow == nullptr ? nullptr : reinterpret_cast<PyObject*>(shadow->owner);
}

namespace {

// The import system makes a submodule an attribute of its package when it is initialised: who gets
// it from there is after its initialisation.
std::atomic<bool> modules_published{false};

void PublishModule(RaceThread& thread, const Target& target) {
  if (target.object_kind != ObjectKind::kDict || target.kind != AccessKind::kWrite ||
      !IsOn(kImportEdge)) {
    return;
  }
  SetHeader(target.object, kSynchronizes);
  detector.Release(thread, reinterpret_cast<uintptr_t>(target.object), SyncAspect::kImports);
  modules_published = true;
}

void LearnModule(RaceThread& thread, const Target& target) {
  if (target.object_kind != ObjectKind::kDict || target.kind != AccessKind::kRead ||
      (LoadHeader(target.object) & kSynchronizes) == 0) {
    return;
  }
  detector.Acquire(thread, reinterpret_cast<uintptr_t>(target.object), SyncAspect::kImports);
}

// A container of objects: who gets one from it is after who put it there.
bool HoldsObjects(ObjectKind kind) {
  return kind == ObjectKind::kList || kind == ObjectKind::kDict || kind == ObjectKind::kSet ||
         kind == ObjectKind::kDeque;
}

// Whether the operation gets an element, or all. `x in set` gets none.
bool CarriesElements(ObjectKind kind, uint8_t operation) {
  return HoldsObjects(kind) && operation != static_cast<uint8_t>(RaceOperation::kSetContains);
}

// The keys that the object has now; of what is no container of keys, as many as there may be.
uint64_t KeysIn(PyObject* object, ObjectKind kind) {
  constexpr uint64_t kAny = uint64_t{1} << 60;
  if (kind == ObjectKind::kDict && PyDict_Check(object)) {
    const Py_ssize_t& used = reinterpret_cast<PyDictObject*>(object)->ma_used;
    return static_cast<uint64_t>(__atomic_load_n(&used, __ATOMIC_RELAXED));
  }
  if (kind == ObjectKind::kSet && PyAnySet_Check(object)) {
    const Py_ssize_t& used = reinterpret_cast<PySetObject*>(object)->used;
    return static_cast<uint64_t>(__atomic_load_n(&used, __ATOMIC_RELAXED));
  }
  return kAny;
}

// The object's shadow in its locked shard; nullptr, and nothing locked, if it cannot have one.
// Where the object is another one's __dict__, that one's.
Shadow* LockShadow(RaceThread& thread, PyObject** object, ObjectKind* kind,
                   ShadowTable::Shard** shard) {
  for (;;) {
    *shard = &detector.shadows.ShardOf(reinterpret_cast<uintptr_t>(*object));
    (*shard)->lock.Acquire();
    Shadow* shadow = ShadowOf(thread, **shard, *object);
    const uintptr_t owner = shadow != nullptr && *kind == ObjectKind::kDict ? shadow->owner : 0;
    if (shadow != nullptr && owner == 0) return shadow;
    (*shard)->lock.Release();
    if (shadow == nullptr) return nullptr;
    *object = reinterpret_cast<PyObject*>(owner);
    *kind = ObjectKind::kInstance;
    if ((LoadHeader(*object) & (kDying | kBenign)) != 0) return nullptr;
  }
}

}  // namespace

[[gnu::noinline]] void AccessSlowly(RaceThread& thread, const Target& target) {
  PyObject* object = target.object;
  if ((LoadHeader(object) & (kDying | kBenign)) != 0) return;
  _PyInterpreterFrame* const frame = CurrentFrame();
  if (frame == nullptr || LooksAway(thread, frame)) return;
  detector.TickIfRequested(thread);
  const ShadowFrame* const function = CurrentFunction(thread, frame);
  if (function == nullptr) return;
  const uint32_t node = function->node;
  bool harmless = false;
  if (function->traits != 0) [[unlikely]] {
    const Traits traits = Traits::Unpack(function->traits);
    if (traits.function == Known::kImport) PublishModule(thread, target);
    if (traits.primitive) return;
    harmless = traits.function == Known::kHarmless;
  }
  if (modules_published) LearnModule(thread, target);
  if (thread.perturbation.is_on()) [[unlikely]]
    DelayBeforeAccess(thread, frame);

  ObjectKind kind = target.object_kind;
  Raced raced;
  ShadowTable::Shard* shard;
  Shadow* shadow = LockShadow(thread, &object, &kind, &shard);
  if (shadow == nullptr) return;
  if (kind == ObjectKind::kModule || frame->f_globals == object) shadow->is_module = true;
  if (shadow->is_module) kind = ObjectKind::kModule;
  const bool carries =
      CarriesElements(kind, target.operation) && IsOn(kPublicationEdge) && !harmless;
  const uint32_t offset = OffsetIn(frame);
  const Detector::Request request = {
      .kind = target.kind,
      .operation = target.operation,
      .carries = carries,
      .learns = (!HoldsObjects(kind) || IsOn(kPublicationEdge)) && !harmless,
      .lock_set = detector.lock_sets.Intern(detector.arena, thread.blocks, thread.held),
      .offset = static_cast<uint16_t>(offset < 0xffff ? offset : 0xffff),
      .node = node};
  CheckTarget(thread, *shadow, target, request, &raced);
  if (shadow->keyed() >= shadow->look_over_at) [[unlikely]]
    detector.DropPast(thread, *shadow, KeysIn(object, kind));
  shard->lock.Release();
  if (kind == ObjectKind::kInstance && target.kind == AccessKind::kWrite &&
      target.name != nullptr) {
    BeforeAttributeStore(thread, object, target.name);
  }
  RememberRecorded(thread, target.object, target.spot, target.kind);
  if (raced.contended) DelayAtContention(thread, frame);
  if (raced.found) [[unlikely]]
    ReportRace(thread, target, object, kind, raced);
}

// --- Containers

bool ReadsValues(uint32_t operation) {
  switch (static_cast<RaceOperation>(operation)) {
    case RaceOperation::kListContains:
    case RaceOperation::kListIndex:
    case RaceOperation::kListCount:
    case RaceOperation::kListSlice:
    case RaceOperation::kListConcat:
    case RaceOperation::kListRepeat:
    case RaceOperation::kListCompare:
    case RaceOperation::kListRepr:
    case RaceOperation::kListCopy:
    case RaceOperation::kDictCopy:
    case RaceOperation::kDictCompare:
    case RaceOperation::kDictRepr:
    case RaceOperation::kDictMergeSource:
    case RaceOperation::kDequeContains:
    case RaceOperation::kDequeIndex:
    case RaceOperation::kDequeCount:
    case RaceOperation::kDequeCopy:
    case RaceOperation::kDequeCompare:
    case RaceOperation::kDequeRepr:
    case RaceOperation::kBytesRead:
    case RaceOperation::kBytesSlice:
    case RaceOperation::kBytesConcat:
    case RaceOperation::kBytesRepeat:
    case RaceOperation::kBytesCompare:
    case RaceOperation::kBytesCopy:
    case RaceOperation::kBytesRepr:
    case RaceOperation::kArrayRead:
    case RaceOperation::kBufferGetItem:
      return true;
    default:
      return false;
  }
}

[[gnu::noinline]] void ContainerSlowly(RaceThread& thread, PyObject* container,
                                       ObjectKind object_kind, AccessKind kind, uint32_t operation,
                                       bool values) {
  AccessSlowly(thread, {.object = container,
                        .object_kind = object_kind,
                        .key = kStructureKey,
                        .spot = SpotOfKey(kStructureKey),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .scope = values ? Scope::kElements : Scope::kVariable});
}

void ContainerWrite(PyObject* container, ObjectKind object_kind, uint32_t operation) {
  RaceThread* thread = Current();
  constexpr AccessKind kind = AccessKind::kWrite;
  if (thread == nullptr || IsRecorded(*thread, container, SpotOfKey(kOrderKey), kind)) return;
  AccessSlowly(*thread, {.object = container,
                         .object_kind = object_kind,
                         .key = kOrderKey,
                         .spot = SpotOfKey(kOrderKey),
                         .operation = static_cast<uint8_t>(operation),
                         .kind = kind,
                         .scope = Scope::kEverything});
}

}  // namespace fthreadprof::race
