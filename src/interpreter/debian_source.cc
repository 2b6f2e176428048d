#include "interpreter/debian_source.h"

#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"
#include "interpreter/file_lock.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

constexpr char kSuite[] = "trixie";
constexpr char kPackage[] = "python3.13";
constexpr char kKeyring[] = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr char kInstead[] = "; name a CPython source tree or tarball with --source instead";

absl::Status CannotFetch(const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat("the source of CPython ", kDebianSourceVersion,
                                                    " cannot be fetched: ", why, kInstead));
}

std::string ReadTextFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path CachedTarball(const CacheLayout& cache) {
  fs::path newest;
  std::error_code error;
  for (fs::directory_iterator it(cache.sources(), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    const bool ours = name.starts_with(absl::StrCat(kPackage, "_")) &&
                      name.find(".orig.tar.") != std::string::npos && !name.ends_with(".asc");
    if (ours && it->path() > newest) newest = it->path();
  }
  return newest;
}

absl::StatusOr<std::string> MachineArchive() {
  const std::string os_release = ReadTextFile("/etc/os-release");
  if (OsReleaseValue(os_release, "ID") != "debian" || FindProgram("apt-get").empty()) {
    return CannotFetch("this is not a Debian machine with apt-get");
  }
  Command command;
  command.arguments = {"apt-get", "indextargets", "--no-release-info", "--format",
                       "$(REPO_URI) $(RELEASE)"};
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  const std::string archive =
      ChooseArchive(result.output, OsReleaseValue(os_release, "VERSION_CODENAME"));
  if (archive.empty()) return CannotFetch("apt's sources do not name Debian's archive");
  return archive;
}

std::vector<std::string> AptGet(const fs::path& state) {
  std::vector<std::string> command = {"apt-get", "--quiet"};
  for (const std::string& option : {
           absl::StrCat("Dir::Etc::sourcelist=", (state / "sources.list").string()),
           std::string("Dir::Etc::sourceparts=/dev/null"),
           absl::StrCat("Dir::State::lists=", (state / "lists").string()),
           absl::StrCat("Dir::Cache=", (state / "cache").string()),
           // The cache may be in a home directory that the user _apt cannot enter.
           std::string("APT::Sandbox::User=root"),
           std::string("Acquire::Languages=none"),
       }) {
    command.insert(command.end(), {"-o", option});
  }
  return command;
}

class AptState {
 public:
  AptState(fs::path directory, std::function<void()> on_tick)
      : directory_(std::move(directory)), on_tick_(std::move(on_tick)) {}

  absl::Status Prepare(const std::string& archive) {
    std::error_code error;
    fs::create_directories(directory_ / "lists/partial", error);
    fs::create_directories(directory_ / "cache/archives/partial", error);
    std::ofstream sources(directory_ / "sources.list");
    sources << "deb-src [signed-by=" << kKeyring << "] " << archive << " " << kSuite << " main\n";
    sources.close();
    fs::remove(log_file(), error);
    if (!sources) return CannotFetch(absl::StrCat(directory_.string(), " cannot be written"));
    return absl::OkStatus();
  }

  // Fails with kUnavailable when apt-get does.
  absl::Status Run(const std::vector<std::string>& arguments, const fs::path& working_directory) {
    Command command;
    command.arguments = AptGet(directory_);
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.directory = working_directory;
    command.log_file = log_file();
    command.on_tick = on_tick_;
    FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
    if (result.exit_status == 0) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("the source of CPython ", kDebianSourceVersion,
                                               " cannot be fetched from Debian's archive (",
                                               log_file().string(), " says why)", kInstead));
  }

 private:
  fs::path log_file() const { return directory_ / "log"; }

  const fs::path directory_;
  const std::function<void()> on_tick_;
};

// REQUIRES: the caller holds the lock of the apt state.
absl::Status Download(AptState& apt, const CacheLayout& cache) {
  FTP_ASSIGN_OR_RETURN(const std::string archive, MachineArchive());
  FTP_RETURN_IF_ERROR(apt.Prepare(archive));
  const fs::path incoming = cache.sources() / "incoming";
  std::error_code error;
  fs::remove_all(incoming, error);
  fs::create_directories(incoming, error);
  if (error) return CannotFetch(absl::StrCat(incoming.string(), " cannot be written"));
  // `update` ends with 0 when the archive cannot be reached; then `source` fails.
  FTP_RETURN_IF_ERROR(apt.Run({"update"}, incoming));
  FTP_RETURN_IF_ERROR(
      apt.Run({"source", "--download-only", absl::StrCat(kPackage, "/", kSuite)}, incoming));
  for (const fs::directory_entry& entry : fs::directory_iterator(incoming, error)) {
    const std::string name = entry.path().filename();
    if (name.find(".orig.tar.") != std::string::npos) {
      fs::rename(entry.path(), cache.sources() / name, error);
    }
  }
  fs::remove_all(incoming, error);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<fs::path> FetchDebianSource(const CacheLayout& cache,
                                           const std::function<void()>& on_tick) {
  if (const fs::path tarball = CachedTarball(cache); !tarball.empty()) return tarball;
  const fs::path state = cache.Apt(kSuite);
  FTP_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(state.string() + ".lock"));
  if (const fs::path tarball = CachedTarball(cache); !tarball.empty()) return tarball;
  AptState apt(state, on_tick);
  FTP_RETURN_IF_ERROR(Download(apt, cache));
  const fs::path tarball = CachedTarball(cache);
  if (tarball.empty()) return CannotFetch("the source package has no upstream tarball");
  return tarball;
}

std::string ChooseArchive(const std::string& targets, const std::string& codename) {
  const std::vector<std::string> lines = absl::StrSplit(targets, '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() == 2 && words[1] == codename) return words[0];
  }
  return "";
}

std::string OsReleaseValue(const std::string& text, const std::string& key) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    if (!line.starts_with(key + "=")) continue;
    std::string value = line.substr(key.size() + 1);
    std::erase(value, '"');
    return value;
  }
  return "";
}

}  // namespace fthreadprof
