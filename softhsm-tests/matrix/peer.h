#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/matrix/people.h"
#include "softhsm-tests/matrix/table.h"

namespace p11mime::test::matrix {

/// kNotWritten is the cell of what p11mime only reads.
inline constexpr const char* kNotWritten = "p11mime does not write it";

/// Task is one row for a peer to do, and the file to read or write.
template <class Row>
struct Task {
    const Row* row;
    std::string file;
};

/// Peer is another program or library. It does whole lists of tasks, and answers each with kOk or with what it says;
/// the cells are made of that by `reasons`.
template <class Row>
class Peer {
  public:
    virtual ~Peer() = default;
    virtual std::string name() const = 0;
    virtual std::span<const Reason> reasons() const = 0;
    virtual std::vector<std::string> read(const std::vector<Task<Row>>& tasks) = 0;
    virtual std::vector<std::string> write(const std::vector<Task<Row>>& tasks) = 0;
};

/// Program is a peer that is one process for each task; two run at a time.
template <class Row>
class Program : public Peer<Row> {
  public:
    std::vector<std::string> read(const std::vector<Task<Row>>& tasks) override {
        return each(tasks, [this](const Task<Row>& task) { return read_one(*task.row, task.file); });
    }
    std::vector<std::string> write(const std::vector<Task<Row>>& tasks) override {
        return each(tasks, [this](const Task<Row>& task) { return write_one(*task.row, task.file); });
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
    static std::vector<std::string> each(const std::vector<Task<Row>>& tasks, Work work) {
        std::vector<std::string> answers(tasks.size());
        in_pairs(tasks.size(), [&](std::size_t i) { answers[i] = try_to([&] { return work(tasks[i]); }); });
        return answers;
    }
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
    std::vector<std::string> read(rows.size());
    std::vector<Task<Row>> to_read, to_write;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string name = std::to_string(i);
        to_write.push_back({&rows[i], people.path(name + ".theirs")});
        if (rows[i].reading_only) {
            read[i] = kNotWritten;
            continue;
        }
        read[i] = own_cell(try_to([&] {
            to_read.push_back({&rows[i], people.file(name + ".own", write_own(rows[i]))});
            return kOk;
        }));
    }
    const std::vector<std::string> reading = peer.read(to_read);
    for (std::size_t i = 0; i < to_read.size(); ++i)
        read[static_cast<std::size_t>(to_read[i].row - rows.data())] = cell(reading[i]);
    const std::vector<std::string> writing = peer.write(to_write);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto own = [&] { return read_own(rows[i], read_file(to_write[i].file)); };
        table.set(rows[i].name, reads, read[i]);
        table.set(rows[i].name, writes, writing[i] == kOk ? own_cell(try_to(own)) : cell(writing[i]));
    }
}

}  // namespace p11mime::test::matrix
