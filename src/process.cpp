// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/process.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "mellow/core/error.hpp"

extern char** environ;

namespace mellow::tools {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary_file(const std::string& program) {
  File file(std::tmpfile(), &std::fclose);
  if (!file) throw Error(program, "cannot create a temporary file: " + std::generic_category().message(errno));
  return file;
}

std::string contents(const File& file) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  std::rewind(file.get());
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), file.get())) text.append(buffer.data(), n);
  return text;
}

}  // namespace

std::optional<ProcessResult> run_process(const std::string& program, const std::vector<std::string>& arguments,
                                         std::string_view input) {
  // Unnamed files carry input and output: no path, and no pipe that could fill up.
  const auto in = temporary_file(program), out = temporary_file(program), error = temporary_file(program);
  std::fwrite(input.data(), 1, input.size(), in.get());
  if (std::fflush(in.get()) != 0) throw Error(program, "cannot write its input");
  std::rewind(in.get());

  std::vector<char*> words{const_cast<char*>(program.c_str())};  // posix_spawn does not write to them
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(error.get()), STDERR_FILENO);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) return std::nullopt;
  if (code != 0) throw Error(program, "cannot be started: " + std::generic_category().message(code));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return ProcessResult{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents(out),
                       contents(error)};
}

}  // namespace mellow::tools
