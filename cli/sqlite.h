#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
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
    using Conversion = std::function<void(Database&)>;
    /// open makes the file, for its owner alone, and its directory where they are missing, and brings the tables up to
    /// `version` of `schema`, and then what is in them by `convert`. `what` names the file for people: "address book".
    static std::unique_ptr<Database> open(const std::string& path, const std::string& what, const char* schema,
                                          std::int64_t version, const Conversion& convert = {});
    /// open_to_read opens a file that is there, changes nothing, and takes no other version.
    static std::unique_ptr<Database> open_to_read(const std::string& path, const std::string& what,
                                                  std::int64_t version);
    /// is_broken says whether a file is no SQLite database, or one that was damaged; false where that cannot be told.
    static bool is_broken(const std::string& path);
    void run(const char* sql);
    std::size_t changes() const;  ///< rows that the last statement made, changed or removed
    sqlite3* get() const { return handle_.get(); }
    [[noreturn]] void fail() const;

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;
    /// prepared compiles SQL, or takes what was put back of the same; put_back keeps it for the next.
    Prepared prepared(const std::string& sql);
    void put_back(const std::string& sql, Prepared statement);

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    Database(const std::string& path, const std::string& what, int access);
    std::int64_t version();

    std::string name_;
    std::unique_ptr<sqlite3, Close> handle_;
    std::map<std::string, Prepared> idle_;  // by their SQL
};

/// Statement is one run of a prepared statement; bind() fills its parameters from left to right.
class Statement {
  public:
    Statement(Database& database, std::string sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement& bind(std::string_view text);
    Statement& bind(ByteView blob);
    Statement& bind(std::int64_t number);
    Statement& bind_null();

    bool step();  ///< true where a row is at hand
    std::string text(int column) const;
    std::optional<Bytes> blob(int column) const;  ///< nothing for NULL
    std::int64_t number(int column) const;
    bool is_null(int column) const;

  private:
    void check(int code) const;

    Database& database_;
    std::string sql_;
    Database::Prepared statement_;
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
