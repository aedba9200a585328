// p11mime-bench-launch RESULT [--each LIST] PROGRAM [ARGUMENT...]
//
// Runs a program and writes what it took to the file RESULT: seconds by the clock, seconds of processor time, peak
// resident KiB, exit status. A process of its own, because the peak that the kernel tells of a child begins at that of
// its parent, and this one is small. With --each the program is run once for every line of the file LIST, in which
// case "{}" in an argument stands for the line and "{/}" for its file name; the peak is the largest, and the first
// failure ends it.

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Words = std::vector<std::string>;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

int run(Words words) {
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return 127;
    int status = 0;
    if (waitpid(child, &status, 0) != child) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_each(const Words& words, const char* list) {
    std::ifstream lines(list);
    int status = lines ? 0 : 127;
    for (std::string line; status == 0 && std::getline(lines, line);) {
        Words filled;
        for (const std::string& word : words)
            filled.push_back(replaced(replaced(word, "{}", line), "{/}", line.substr(line.rfind('/') + 1)));
        status = run(std::move(filled));
    }
    return status;
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
    Words words(argv + 1, argv + argc);
    if (words.size() < 2) return 2;
    const std::string result = words.front();
    words.erase(words.begin());
    std::string list;
    if (words.front() == "--each" && words.size() > 2) {
        list = words[1];
        words.erase(words.begin(), words.begin() + 2);
    }
    const auto start = std::chrono::steady_clock::now();
    const int status = list.empty() ? run(words) : run_each(words, list.c_str());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    std::FILE* file = std::fopen(result.c_str(), "w");
    if (file == nullptr) return 2;
    std::fprintf(file, "%.6f %.6f %ld %d\n", taken.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
                 usage.ru_maxrss, status);
    return std::fclose(file) == 0 ? 0 : 2;
}
