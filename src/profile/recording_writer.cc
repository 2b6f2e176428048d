#include "profile/recording_writer.h"

#include <zstd.h>

#include <cstdlib>
#include <protozero/pbf_builder.hpp>
#include <utility>

#include "profile/gil_cause_codec.h"
#include "profile/recording_format.h"
#include "profile/zstd_check.h"

namespace fthreadprof {
namespace {

using recording::Block;
using recording::Figures;
using recording::FrameField;
using recording::LockField;
using recording::Process;
using recording::Thread;

constexpr uint64_t kWriteIntervalUs = 1'000'000;
// Compressed in about a millisecond.
constexpr size_t kMaxBlockSamples = 16 * 1024;

std::string Compress(const std::string& raw) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  CheckZstd(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kCompressionLevel));
  CheckZstd(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(
      CheckZstd(ZSTD_compress2(context.get(), frame.data(), frame.size(), raw.data(), raw.size())));
  return frame;
}

std::string EncodeProcess(ProcessIndex index, const TargetInfo& process) {
  std::string bytes;
  protozero::pbf_builder<Process> message(bytes);
  message.add_uint32(Process::kIndex, index);
  message.add_int32(Process::kPid, process.pid);
  message.add_int32(Process::kParentPid, process.parent_pid);
  message.add_bytes(Process::kPython, process.python);
  message.add_bool(Process::kFreeThreaded, process.free_threaded);
  message.add_bool(Process::kGilEnabled, process.gil_enabled);
  message.add_bytes(Process::kExecutable, process.executable);
  message.add_bytes(Process::kCommand, process.command);
  message.add_double(Process::kCpuSeconds, process.cpu_s);
  if (process.gil_cause) {
    message.add_message(Process::kGilCause, EncodeGilCause(*process.gil_cause));
  }
  return bytes;
}

}  // namespace

RecordingWriter::RecordingWriter(Profile& profile, std::vector<std::string> paths)
    : profile_(profile), paths_(std::move(paths)) {
  profile_.set_on_sample([this](const LoggedSample& sample) { OnSample(sample); });
}

RecordingWriter::~RecordingWriter() { profile_.set_on_sample(nullptr); }

void RecordingWriter::OnSample(const LoggedSample& sample) {
  samples_.push_back(sample);
  if (opened_ && samples_.size() < kMaxBlockSamples &&
      sample.time_us - last_write_us_ < kWriteIntervalUs) {
    return;
  }
  last_write_us_ = sample.time_us;
  WriteNew();
}

absl::Status RecordingWriter::Finish() {
  WriteNew();
  protozero::pbf_builder<Block>(block_).add_bool(Block::kEnd, true);
  FlushBlock();
  for (const std::unique_ptr<AtomicFile>& file : files_) status_.Update(file->Commit());
  return status_;
}

void RecordingWriter::Open() {
  opened_ = true;
  for (const std::string& path : paths_) {
    auto file = AtomicFile::CreateInPlace(path);
    status_.Update(file.status());
    if (!file.ok()) continue;
    (*file)->stream() << recording::kMagic << recording::kVersion;
    files_.push_back(*std::move(file));
  }
}

void RecordingWriter::WriteNew() {
  if (!opened_) Open();
  AppendProcesses();
  AppendThreads();
  AppendFrames();
  AppendStacks();
  AppendLocks();
  AppendFigures();
  if (!samples_.empty()) {
    protozero::pbf_builder<Block>(block_).add_bytes(Block::kSamples, EncodeSamples(samples_));
    samples_.clear();
  }
  FlushBlock();
}

void RecordingWriter::AppendProcesses() {
  processes_.resize(profile_.processes().size());
  for (size_t i = 0; i < processes_.size(); ++i) {
    std::string bytes = EncodeProcess(static_cast<ProcessIndex>(i), profile_.processes()[i]);
    if (bytes == processes_[i]) continue;
    protozero::pbf_builder<Block>(block_).add_message(Block::kProcess, bytes);
    processes_[i] = std::move(bytes);
    FlushIfFull();
  }
}

void RecordingWriter::AppendThreads() {
  for (size_t i = 0; i < profile_.threads().size(); ++i) {
    const ProfiledThread& thread = profile_.threads()[i];
    if (i == threads_.size()) {
      threads_.push_back({thread.name, thread.cpu_s, thread.run_queue_s});
    } else if (threads_[i].name == thread.name && threads_[i].cpu_s == thread.cpu_s &&
               threads_[i].run_queue_s == thread.run_queue_s) {
      continue;
    }
    threads_[i] = {thread.name, thread.cpu_s, thread.run_queue_s};
    std::string bytes;
    protozero::pbf_builder<Thread> message(bytes);
    message.add_uint32(Thread::kIndex, static_cast<ThreadIndex>(i));
    message.add_uint32(Thread::kProcess, thread.process);
    message.add_int32(Thread::kTid, thread.tid);
    message.add_bytes(Thread::kName, thread.name);
    message.add_int64(Thread::kInterpreter, thread.interpreter);
    message.add_double(Thread::kCpuSeconds, thread.cpu_s);
    if (thread.tasks) message.add_bool(Thread::kTasks, true);
    message.add_double(Thread::kRunQueueSeconds, thread.run_queue_s);
    protozero::pbf_builder<Block>(block_).add_message(Block::kThread, bytes);
    FlushIfFull();
  }
}

void RecordingWriter::AppendFrames() {
  for (; frames_ < profile_.frame_count(); ++frames_) {
    const Frame& frame = profile_.frame(static_cast<FrameId>(frames_));
    protozero::pbf_builder<Block> block(block_);
    {
      protozero::pbf_builder<FrameField> message(block, Block::kFrame);
      message.add_bytes(FrameField::kFunction, frame.function);
      message.add_bytes(FrameField::kFile, frame.file);
      message.add_int32(FrameField::kLine, frame.line);
    }
    FlushIfFull();
  }
}

void RecordingWriter::AppendStacks() {
  while (stacks_ < profile_.stack_count()) {
    std::vector<uint32_t> callers, frames;
    for (; stacks_ < profile_.stack_count() && callers.size() < recording::kFullBlock / 10;
         ++stacks_) {
      const auto id = static_cast<StackId>(stacks_);
      callers.push_back(profile_.Caller(id));
      frames.push_back(profile_.InnermostFrame(id));
    }
    protozero::pbf_builder<Block> block(block_);
    block.add_packed_uint32(Block::kStackCallers, callers.begin(), callers.end());
    block.add_packed_uint32(Block::kStackFrames, frames.begin(), frames.end());
    FlushIfFull();
  }
}

void RecordingWriter::AppendLocks() {
  for (; locks_ < profile_.lock_count(); ++locks_) {
    const WaitedLock& lock = profile_.lock(static_cast<LockId>(locks_ + 1));
    protozero::pbf_builder<Block> block(block_);
    {
      protozero::pbf_builder<LockField> message(block, Block::kLock);
      message.add_uint32(LockField::kProcess, lock.process);
      message.add_uint32(LockField::kKind, static_cast<uint32_t>(lock.kind));
      message.add_bytes(LockField::kType, lock.type);
      message.add_fixed64(LockField::kAddress, lock.address);
    }
    FlushIfFull();
  }
}

void RecordingWriter::AppendFigures() {
  const SamplingInfo& sampling = profile_.sampling;
  const ProcessInfo& totals = profile_.totals;
  protozero::pbf_builder<Block> block(block_);
  protozero::pbf_builder<Figures> message(block, Block::kFigures);
  message.add_double(Figures::kRequestedHz, sampling.requested_hz);
  message.add_double(Figures::kDurationSeconds, sampling.duration_s);
  message.add_uint64(Figures::kPasses, sampling.passes);
  message.add_uint64(Figures::kSamples, sampling.samples);
  message.add_uint64(Figures::kTorn, sampling.torn);
  message.add_uint64(Figures::kLate, sampling.late);
  message.add_double(Figures::kProfilerCpuSeconds, sampling.profiler_cpu_s);
  message.add_uint32(Figures::kMode, static_cast<uint32_t>(sampling.mode));
  message.add_double(Figures::kCpuSeconds, totals.cpu_s);
  message.add_packed_uint64(Figures::kParallelismPasses, totals.parallelism_passes.begin(),
                            totals.parallelism_passes.end());
  message.add_uint64(Figures::kGilEnabledPasses, totals.gil_enabled_passes);
  message.add_uint64(Figures::kGilHeldPasses, totals.gil_held_passes);
  message.add_uint64(Figures::kGilHandoffs, totals.gil_handoffs);
  message.add_uint64(Figures::kGcPasses, totals.gc_passes);
  message.add_uint64(Figures::kStoppedPasses, totals.stopped_passes);
  message.add_uint64(Figures::kStops, totals.stops);
  message.add_packed_uint64(Figures::kWantingPasses, totals.wanting_passes.begin(),
                            totals.wanting_passes.end());
}

void RecordingWriter::FlushIfFull() {
  if (block_.size() >= recording::kFullBlock) FlushBlock();
}

void RecordingWriter::FlushBlock() {
  const std::string frame = Compress(block_);
  block_.clear();
  std::string length;
  for (size_t i = 0; i < recording::kLengthBytes; ++i) {
    length.push_back(static_cast<char>(frame.size() >> (8 * i)));
  }
  for (const std::unique_ptr<AtomicFile>& file : files_) {
    file->stream() << length << frame << std::flush;
  }
}

}  // namespace fthreadprof
