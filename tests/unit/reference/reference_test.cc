#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/command_tree.h"
#include "reference/completion.h"
#include "reference/man_page.h"

namespace fthreadprof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CommandTree Program() {
  CommandOption mode;
  mode.names = {"-m", "--mode"};
  mode.value = "fast|slow";
  mode.choices = {"fast", "slow"};
  mode.description = "It's [how]: -x";
  mode.default_value = "fast";
  CommandTree command;
  command.name = "run";
  command.description = "Runs";
  command.footer = ".note\nExamples:\n  tool run 'a\\b'";
  command.options = {mode};
  CommandTree program;
  program.name = "tool";
  program.description = "A tool";
  program.commands = {command};
  return program;
}

TEST(ManPage, EscapesWhatRoffWouldTakeForItsOwn) {
  const CommandTree program = Program();
  const std::string page = CommandManPage(program, program.commands.front(), "1.2");
  EXPECT_THAT(page, HasSubstr("\\fB\\-m\\fR, \\fB\\-\\-mode\\fR \\fIfast|slow\\fR"));
  EXPECT_THAT(page, HasSubstr(".SH NOTES\n\\&.note\n"));
  EXPECT_THAT(page, HasSubstr(".nf\n  tool run 'a\\eb'\n.fi"));
  EXPECT_THAT(page, HasSubstr("(default: fast)"));
}

TEST(ManPage, ProgramRefersToItsCommands) {
  EXPECT_THAT(ProgramManPage(Program(), "1.2"), HasSubstr("\\fBtool\\-run\\fR(1)"));
}

TEST(Completion, BashOffersCommandsOptionsAndChoices) {
  const std::string script = BashCompletion(Program());
  EXPECT_THAT(script, HasSubstr("':run') path='run' ;;"));
  EXPECT_THAT(script, HasSubstr("'run') words='-m --mode' ;;"));
  EXPECT_THAT(script, HasSubstr("'run:-m' | 'run:--mode')"));
  EXPECT_THAT(script, HasSubstr("compgen -W 'fast slow'"));
}

TEST(Completion, ZshEscapesDescriptions) {
  const std::string script = ZshCompletion(Program());
  EXPECT_THAT(
      script,
      HasSubstr("'(-m --mode)'{-m,--mode}'[It'\\''s \\[how\\]\\: -x]:fast|slow:(fast slow)'"));
}

TEST(Completion, FishQuotesDescriptions) {
  const std::string script = FishCompletion(Program());
  EXPECT_THAT(script, HasSubstr("-s m -l mode -x -a 'fast slow' -d 'It\\'s [how]: -x'"));
  EXPECT_THAT(script, Not(HasSubstr("-o ")));
}

}  // namespace
}  // namespace fthreadprof
