#pragma once

#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mime/bytes.h"

namespace p11mime::cli {

/// Database is an SQLite connection, for one thread at a time. Everything throws Error(io) that names the file. SQLite
/// is loaded for the first one.
class Database {
  public:
    /// open makes the file, for its owner alone, and its directory where they are missing, and brings the tables up to
    /// `version` of `schema`. `what` names the file for people: "address book".
    static std::unique_ptr<Database> open(const std::string& path, const std::string& what, const char* schema,
                                          std::int64_t version);
    /// open_to_read opens a file that is there, changes nothing, and takes no other version.
    static std::unique_ptr<Database> open_to_read(const std::string& path, const std::string& what,
                                                  std::int64_t version);
    /// is_broken says whether a file is no SQLite database, or one that was damaged; false where that cannot be told.
    static bool is_broken(const std::string& path);
    void run(const char* sql);
    std::size_t changes() const;  ///< rows that the last statement made, changed or removed
    sqlite3* get() const { return handle_.get(); }
    [[noreturn]] void fail() const;

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    Database(const std::string& path, const std::string& what, int access);
    std::int64_t version();

    std::string name_;
    std::unique_ptr<sqlite3, Close> handle_;
};

/// Statement is one prepared statement; bind() fills its parameters from left to right.
class Statement {
  public:
    Statement(Database& database, const std::string& sql);
    Statement& bind(std::string_view text);
    Statement& bind(ByteView blob);
    Statement& bind(std::int64_t number);
    Statement& bind_null();

    void reset();  ///< for another run with other parameters
    bool step();   ///< true where a row is at hand
    std::string text(int column) const;
    std::optional<Bytes> blob(int column) const;  ///< nothing for NULL
    std::int64_t number(int column) const;
    bool is_null(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    void check(int code) const;

    Database& database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int next_ = 1;
};

/// Transaction writes all or nothing: what is not committed is rolled back.
class Transaction {
  public:
    explicit Transaction(Database& database) : database_(&database) { database.run("BEGIN IMMEDIATE"); }
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

  private:
    Database* database_;
};

}  // namespace p11mime::cli
