#include "softhsm-tests/support/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

namespace {

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, '\t');)
        fields.push_back(field);
    return fields;
}

void add(std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::string comments(const std::string& file) {
    std::istringstream in(read_file(file));
    std::string text;
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("#")) text += line + "\n";
    return text;
}

/// differences has a line for each cell that is not as expected. A sanitized run never has all rows.
std::string differences(const Table& expected, const Table& found, Rows rows) {
    std::string text;
    for (const std::string& column : found.columns())
        for (const std::string& row : found.rows())
            if (const std::string was = expected.cell(row, column), is = found.cell(row, column); was != is)
                text += fmt::format("{}, {}: expected '{}', found '{}'\n", row, column, was, is);
    for (const std::string& row : expected.rows())
        if (rows == Rows::all && !is_sanitized() &&
            std::find(found.rows().begin(), found.rows().end(), row) == found.rows().end())
            text += fmt::format("{}: expected, but not found\n", row);
    return text;
}

std::string known(const Table& expected, const std::string& row, const std::string& column) {
    const std::string cell = expected.cell(row, column);
    return cell.empty() ? "unknown as yet" : cell;
}

/// merged is the table found, and of the others' columns what is known of its rows.
Table merged(const Table& expected, const Table& found) {
    Table table;
    std::vector<std::string> columns = expected.columns();
    for (const std::string& column : found.columns())
        add(columns, column);
    for (const std::string& row : found.rows())
        for (const std::string& column : columns) {
            const std::string cell = found.cell(row, column);
            table.set(row, column, !cell.empty() ? cell : known(expected, row, column));
        }
    return table;
}

}  // namespace

Table Table::read(const std::string& file) {
    Table table;
    std::istringstream in(read_file(file));
    std::vector<std::string> header;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("#")) continue;
        const std::vector<std::string> fields = split(line);
        if (header.empty()) {
            header = fields;
            continue;
        }
        if (fields.size() != header.size()) throw std::runtime_error(file + " lacks a cell: " + line);
        for (std::size_t i = 1; i < fields.size(); ++i)
            table.set(fields[0], header[i], fields[i]);
    }
    return table;
}

void Table::set(const std::string& row, const std::string& column, const std::string& cell) {
    if (cell.empty()) throw std::runtime_error(fmt::format("an empty cell: {}, {}", row, column));
    if (cells_.find({row, column}) == cells_.end()) {
        add(rows_, row);
        add(columns_, column);
    }
    cells_[{row, column}] = cell;
}

std::string Table::cell(const std::string& row, const std::string& column) const {
    const auto found = cells_.find({row, column});
    return found == cells_.end() ? "" : found->second;
}

std::string Table::text() const {
    std::size_t width = 0;
    for (const std::string& row : rows_)
        width = std::max(width, row.size());
    std::string text;
    for (const std::string& row : rows_) {
        text += fmt::format("{:<{}}", row, width);
        for (const std::string& column : columns_)
            text += fmt::format("  {}: {}", column, cell(row, column));
        text += "\n";
    }
    for (const std::string& column : columns_) {
        const auto good =
            std::count_if(rows_.begin(), rows_.end(), [&](const std::string& row) { return cell(row, column) == kOk; });
        text += fmt::format("{}: {} of {} ok\n", column, good, rows_.size());
    }
    return text;
}

std::string Table::tsv() const {
    std::string text = "row";
    for (const std::string& column : columns_)
        text += "\t" + column;
    text += "\n";
    for (const std::string& row : rows_) {
        text += row;
        for (const std::string& column : columns_)
            text += "\t" + cell(row, column);
        text += "\n";
    }
    return text;
}

void check_table(const std::string& name, const Table& found, Rows rows) {
    const std::string file = source_path("softhsm-tests/" + name);
    std::cout << found.text();
    if (std::getenv("P11MIME_MATRIX_UPDATE") != nullptr) {
        write_file(file, comments(file) + merged(Table::read(file), found).tsv());
        return;
    }
    if (const std::string text = differences(Table::read(file), found, rows); !text.empty())
        FAIL(text << "where this is as it should be, run the test with P11MIME_MATRIX_UPDATE=1 and commit " << name);
}

}  // namespace p11mime::test
