// export_sample KIND FORMAT FILE: writes a made-up profile through the real exporters, for the
// tests that look at the files from outside (a browser, a schema). The same KIND gives the same
// bytes.
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "export/exporter.h"
#include "profile/profile.h"

namespace fthreadprof {
namespace {

Profile NewProfile() {
  Profile profile;
  profile.target() = {.pid = 4711,
                      .python = "3.13.5",
                      .free_threaded = true,
                      .gil_enabled = false,
                      .executable = "/usr/bin/python3.13t",
                      .command = "python3.13t shop.py --title <\"R&D\">"};
  profile.sampling.requested_hz = 1000;
  profile.sampling.duration_s = 10;
  profile.sampling.passes = 9990;
  return profile;
}

// Parsing is native code, requests wait for the network, a cart for its lock, and all of them now
// and then for the GIL.
ThreadState StateOf(const std::string& function, uint64_t pass) {
  if (pass % 7 == 0) return ThreadState::kGilWait;
  if (function.starts_with("parse")) return ThreadState::kNative;
  if (function == "Session.send") return ThreadState::kIo;
  if (function == "Cart.total" && pass % 3 == 0) return ThreadState::kLockWait;
  return ThreadState::kRunning;
}

// Random walks through a call graph of a web shop, in four threads that run all the time unless
// `waits`.
Profile BusyProfile(bool waits = false) {
  const std::vector<Frame> frames = {
      {"Worker.run", "/srv/shop/worker.py", 88},
      {"handle_request", "/srv/shop/app.py", 31},
      {"Cart.total", "/srv/shop/cart.py", 17},
      {"<lambda>", "/srv/shop/cart.py", 19},
      {"price_with_tax", "/srv/shop/prices.py", 140},
      {"odd\nname;\x01\xff", "/srv/shop/odd.py", 6},
      {"JSONEncoder.iterencode", "/usr/lib/python3.13/json/encoder.py", 261},
      {"größe_ändern", "/srv/shop/bilder.py", 9},
      {"計算する関数", "/srv/shop/計算.py", 12},
      {"Session.send", "/venv/lib/python3.13/site-packages/requests/sessions.py", 703},
      {"parse<T> & \"quote\"", "/srv/shop/it's.py", 5},
      {"_find_and_load", "<frozen importlib._bootstrap>", 1360},
  };
  Profile profile = NewProfile();
  if (waits) profile.sampling.mode = SamplingMode::kWall;
  std::mt19937 random(42);
  std::vector<FrameId> ids;
  for (const Frame& frame : frames) ids.push_back(profile.InternFrame(frame));
  const FrameId bootstrap =
      profile.InternFrame({"Thread._bootstrap", "/usr/lib/python3.13/threading.py", 1014});
  for (const char* name : {"MainThread", "worker-1", "worker-2", "größer <& \"3\""}) {
    profile.AddThread(static_cast<pid_t>(4711 + profile.threads().size()), name);
  }
  for (uint64_t pass = 0; pass < 9990; ++pass) {
    for (ThreadIndex thread = 0; thread < 4; ++thread) {
      StackId stack = profile.InternStack(kEmptyStack, bootstrap);
      uint32_t frame = 0, innermost = 0;
      const uint32_t depth = 3 + random() % 12;
      for (uint32_t level = 0; level < depth; ++level) {
        stack = profile.InternStack(stack, ids[frame]);
        innermost = frame;
        const uint32_t step = random() % 100;
        frame = (frame + (step < 70 ? 1 : step < 95 ? 2 : 3 + step % 5)) % ids.size();
      }
      const ThreadState state =
          waits ? StateOf(frames[innermost].function, pass) : ThreadState::kRunning;
      profile.AddSample({thread, stack, state, false, pass});
    }
  }
  profile.sampling.samples = 4 * 9990;
  return profile;
}

Profile DeepProfile() {
  Profile profile = NewProfile();
  const FrameId recurse = profile.InternFrame({"recurse", "/srv/deep.py", 3});
  const ThreadIndex main = profile.AddThread(4711, "MainThread");
  StackId stack = kEmptyStack;
  for (uint64_t depth = 1; depth <= 5000; ++depth) {
    stack = profile.InternStack(stack, recurse);
    if (depth % 500 == 0) profile.AddSample({main, stack, ThreadState::kRunning, false, depth});
  }
  return profile;
}

Profile MakeProfile(std::string_view kind) {
  if (kind == "busy") return BusyProfile();
  if (kind == "waits" || kind == "by-state") return BusyProfile(/*waits=*/true);
  if (kind == "deep") return DeepProfile();
  if (kind == "empty") return NewProfile();
  Profile profile = BusyProfile();  // "gil": a free-threaded build that runs with its GIL on
  profile.target().gil_enabled = true;
  return profile;
}

}  // namespace
}  // namespace fthreadprof

int main(int argc, char** argv) {
  using namespace fthreadprof;
  if (argc != 4) {
    std::cerr << "usage: export_sample busy|by-state|deep|empty|gil|waits FORMAT FILE\n";
    return 2;
  }
  const auto format = FindFormat(argv[2]);
  absl::Status status = format.status();
  if (status.ok()) {
    const std::string_view kind = argv[1];
    const ExportOptions options = {.threads = kind != "deep", .by_state = kind == "by-state"};
    status = ExportToFile(MakeProfile(argv[1]), **format, options, argv[3]);
  }
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
