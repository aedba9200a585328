#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/matrix/people.h"
#include "softhsm-tests/support/table.h"

namespace p11mime::test::matrix {

/// kNotWritten is the cell of what p11mime only reads.
inline constexpr const char* kNotWritten = "p11mime does not write it";

/// Task is one row for a peer to do, and the file to read or write.
template <class Row>
struct Task {
    const Row* row;
    std::string file;
};

/// Answers are a peer's to a list of tasks: kOk or what it says.
using Answers = std::vector<std::string>;
struct Done {
    Answers read, written;
};

/// Peer is another program or library. It does whole lists of tasks; the cells are made of its answers by `reasons`.
template <class Row>
class Peer {
  public:
    virtual ~Peer() = default;
    virtual std::string name() const = 0;
    virtual std::span<const Reason> reasons() const = 0;
    /// not_run says why a row is left out; "" where it is not.
    virtual std::string not_run(const Row&) const { return ""; }

    virtual Done run(const std::vector<Task<Row>>& to_read, const std::vector<Task<Row>>& to_write) = 0;
};

/// Program is a peer that is one process for each task; two run at a time.
template <class Row>
class Program : public Peer<Row> {
  public:
    Done run(const std::vector<Task<Row>>& to_read, const std::vector<Task<Row>>& to_write) override {
        return {each(to_read, [this](const Task<Row>& task) { return read_one(*task.row, task.file); }),
                each(to_write, [this](const Task<Row>& task) { return write_one(*task.row, task.file); })};
    }

  protected:
    virtual std::string read_one(const Row& row, const std::string& file) = 0;
    virtual std::string write_one(const Row& row, const std::string& file) = 0;

    /// answer is kOk for a program that ended well and, where it matters, gave out kText.
    static std::string answer(const Outcome& outcome) { return outcome.status == 0 ? kOk : outcome.err + outcome.out; }
    static std::string answer_with_text(const Outcome& outcome) {
        if (outcome.status != 0) return answer(outcome);
        return outcome.out == kText ? kOk : "other content";
    }

  private:
    template <class Work>
    static Answers each(const std::vector<Task<Row>>& tasks, Work work) {
        Answers answers(tasks.size());
        in_pairs(tasks.size(), [&](std::size_t i) { answers[i] = try_to([&] { return work(tasks[i]); }); });
        return answers;
    }
};

/// ProgramWith is a Program that keeps the people's keys in a place of its own.
template <class Row, class Keys>
class ProgramWith : public Program<Row> {
  public:
    explicit ProgramWith(const People& people) : people_(people), keys_(people) {}
    std::string name() const override { return Keys::kName; }

  protected:
    const People& people_;
    Keys keys_;
};

/// own_cell is a cell of p11mime's: kOk, "weak", or an error in few words.
std::string own_cell(const std::string& answer);

/// exchange fills the two columns of a peer: it reads what p11mime writes, and p11mime reads what it writes.
/// `write_own` makes a row's message, `read_own` reads a peer's and answers.
template <class Row, class WriteOwn, class ReadOwn>
void exchange(Table& table, People& people, const std::vector<Row>& rows, Peer<Row>& peer, WriteOwn write_own,
              ReadOwn read_own) {
    const std::string reads = peer.name() + " reads";
    const std::string writes = peer.name() + " writes";
    const auto cell = [&](const std::string& answer) {
        return answer == kOk ? answer : reason(answer, peer.reasons());
    };
    std::map<const Row*, std::string> read, written;
    std::vector<Task<Row>> to_read, to_write;
    for (const Row& row : rows) {
        read[&row] = written[&row] = peer.not_run(row);
        if (!read[&row].empty()) continue;
        const std::string name = std::to_string(to_write.size());
        to_write.push_back({&row, people.path(name + ".theirs")});
        read[&row] = row.reading_only ? kNotWritten : own_cell(try_to([&] {
            to_read.push_back({&row, people.file(name + ".own", write_own(row))});
            return kOk;
        }));
    }
    const Done done = peer.run(to_read, to_write);
    for (std::size_t i = 0; i < to_read.size(); ++i)
        read[to_read[i].row] = cell(done.read[i]);
    for (std::size_t i = 0; i < to_write.size(); ++i) {
        const auto& [row, file] = to_write[i];
        const auto own = [&row = *row, &file = file, &read_own] { return read_own(row, read_file(file)); };
        written[row] = done.written[i] == kOk ? own_cell(try_to(own)) : cell(done.written[i]);
    }
    for (const Row& row : rows) {
        table.set(row.name, reads, read[&row]);
        table.set(row.name, writes, written[&row]);
    }
}

}  // namespace p11mime::test::matrix
