#pragma once

#include <map>
#include <string>
#include <vector>

namespace p11mime::test {

/// kOk is the cell of what works; any other says in few words why it does not.
inline constexpr const char* kOk = "ok";

/// Table is a matrix: a row is a choice of algorithms, a column a party and what it does ("openssl reads" what p11mime
/// wrote), a cell how that went.
class Table {
  public:
    /// read takes tab-separated values with a header line; lines that begin with # are comments. Throws
    /// std::runtime_error where a cell is empty or a row is not as long as the header.
    static Table read(const std::string& file);

    /// set adds rows and columns at the end where they are new. A cell may not be empty.
    void set(const std::string& row, const std::string& column, const std::string& cell);

    const std::vector<std::string>& rows() const { return rows_; }
    const std::vector<std::string>& columns() const { return columns_; }
    std::string cell(const std::string& row, const std::string& column) const;  ///< "" where there is none

    std::string text() const;  ///< for people: aligned, with a count of each column
    std::string tsv() const;

  private:
    std::vector<std::string> rows_;
    std::vector<std::string> columns_;
    std::map<std::pair<std::string, std::string>, std::string> cells_;
};

/// Rows says whether a test has looked at all rows of a table.
enum class Rows { all, some };

/// check_table prints what was found and fails the test unless the committed table, `name` in softhsm-tests, says the
/// same of these columns: each cell found, and no row more where all were looked at. With P11MIME_MATRIX_UPDATE in the
/// environment it writes what was found to the committed table instead.
void check_table(const std::string& name, const Table& found, Rows rows = Rows::all);

}  // namespace p11mime::test
