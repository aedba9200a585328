#include "cli/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cli/fd.h"
#include "cli/paths.h"
#include "cli/system_error.h"
#include "mime/error.h"
#include "mime/shared_library.h"

namespace p11mime::cli {

namespace {

constexpr int kBusyMilliseconds = 10'000;

// Sqlite is the library's functions, as far as they are used.
struct Sqlite {
    Sqlite() {
        const SharedLibrary file("libsqlite3.so.0", "libsqlite3-0");
        file.take(open, "sqlite3_open_v2");
        file.take(close, "sqlite3_close");
        file.take(busy_timeout, "sqlite3_busy_timeout");
        file.take(error_text, "sqlite3_errmsg");
        file.take(execute, "sqlite3_exec");
        file.take(changes, "sqlite3_changes");
        file.take(prepare, "sqlite3_prepare_v2");
        file.take(finalize, "sqlite3_finalize");
        file.take(bind_text, "sqlite3_bind_text64");
        file.take(bind_blob, "sqlite3_bind_blob64");
        file.take(bind_number, "sqlite3_bind_int64");
        file.take(bind_null, "sqlite3_bind_null");
        file.take(reset, "sqlite3_reset");
        file.take(clear_bindings, "sqlite3_clear_bindings");
        file.take(step, "sqlite3_step");
        file.take(column_text, "sqlite3_column_text");
        file.take(column_bytes, "sqlite3_column_bytes");
        file.take(column_type, "sqlite3_column_type");
        file.take(column_blob, "sqlite3_column_blob");
        file.take(column_number, "sqlite3_column_int64");
        decltype(&sqlite3_config) configure{};
        file.take(configure, "sqlite3_config");
        // A connection would set aside and touch 20 pages at once, where a short run reads three. Refused, which harms
        // nothing, where a module has used SQLite before.
        configure(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
    }

    decltype(&sqlite3_open_v2) open{};
    decltype(&sqlite3_close) close{};
    decltype(&sqlite3_busy_timeout) busy_timeout{};
    decltype(&sqlite3_errmsg) error_text{};
    decltype(&sqlite3_exec) execute{};
    decltype(&sqlite3_changes) changes{};
    decltype(&sqlite3_prepare_v2) prepare{};
    decltype(&sqlite3_finalize) finalize{};
    decltype(&sqlite3_bind_text64) bind_text{};
    decltype(&sqlite3_bind_blob64) bind_blob{};
    decltype(&sqlite3_bind_int64) bind_number{};
    decltype(&sqlite3_bind_null) bind_null{};
    decltype(&sqlite3_reset) reset{};
    decltype(&sqlite3_clear_bindings) clear_bindings{};
    decltype(&sqlite3_step) step{};
    decltype(&sqlite3_column_text) column_text{};
    decltype(&sqlite3_column_bytes) column_bytes{};
    decltype(&sqlite3_column_type) column_type{};
    decltype(&sqlite3_column_blob) column_blob{};
    decltype(&sqlite3_column_int64) column_number{};
};

const Sqlite& sqlite() {
    static const Sqlite library;
    return library;
}

void make_file(const std::string& path, const std::string& what) {
    std::error_code ignored;
    const std::string directory = parent_directory(path);
    std::filesystem::create_directories(parent_directory(directory), ignored);
    make_directory(directory, 0700);
    // SQLite gives its journal the mode of the file.
    const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) throw system_error(fmt::format("cannot make the {} '{}'", what, path), errno);
}

}  // namespace

std::unique_ptr<Database> Database::open(const std::string& path, const std::string& what, const char* schema,
                                         std::int64_t version, const Conversion& convert) {
    make_file(path, what);
    std::unique_ptr<Database> database(new Database(path, what, SQLITE_OPEN_READWRITE));
    if (database->version() > version)
        throw Error(ErrorKind::io, fmt::format("the {} '{}' is of a newer version", what, path));
    if (database->version() < version) {
        Transaction transaction(*database);
        if (database->version() < version) {  // nobody else was faster
            database->run(schema);
            if (convert) convert(*database);
            database->run(fmt::format("PRAGMA user_version = {}", version).c_str());
        }
        transaction.commit();
    }
    return database;
}

std::unique_ptr<Database> Database::open_to_read(const std::string& path, const std::string& what,
                                                 std::int64_t version) {
    std::unique_ptr<Database> database(new Database(path, what, SQLITE_OPEN_READONLY));
    if (database->version() != version)
        throw Error(ErrorKind::io, fmt::format("the {} '{}' is of another version", what, path));
    return database;
}

bool Database::is_broken(const std::string& path) try {
    sqlite3* opened = nullptr;
    int code = sqlite().open(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    const std::unique_ptr<sqlite3, Close> handle(opened);
    bool damaged = false;
    const auto note_damage = [](void* damage, int, char** columns, char**) {
        *static_cast<bool*>(damage) = std::string_view(columns[0] != nullptr ? columns[0] : "") != "ok";
        return 0;
    };
    if (code == SQLITE_OK)
        code = sqlite().execute(handle.get(), "PRAGMA quick_check(1)", note_damage, &damaged, nullptr);
    return damaged || code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
} catch (const Error&) {
    return false;  // without the library
}

Database::Database(const std::string& path, const std::string& what, int access)
    : name_(fmt::format("{} '{}'", what, path)) {
    sqlite3* handle = nullptr;
    const int code = sqlite().open(path.c_str(), &handle, access | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail();
    sqlite().busy_timeout(handle, kBusyMilliseconds);
    run("PRAGMA foreign_keys = ON");
}

void Database::Close::operator()(sqlite3* handle) const {
    sqlite().close(handle);
}

std::int64_t Database::version() {
    Statement query(*this, "PRAGMA user_version");
    return query.step() ? query.number(0) : 0;
}

std::size_t Database::changes() const {
    return static_cast<std::size_t>(sqlite().changes(handle_.get()));
}

void Database::fail() const {
    const std::string cause = handle_ ? sqlite().error_text(handle_.get()) : "out of memory";
    throw Error(ErrorKind::io, fmt::format("{}: {}", name_, cause));
}

void Database::run(const char* sql) {
    if (sqlite().execute(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite().finalize(statement);
}

Database::Prepared Database::prepared(const std::string& sql) {
    if (auto idle = idle_.extract(sql)) return std::move(idle.mapped());
    sqlite3_stmt* statement = nullptr;
    if (sqlite().prepare(get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail();
    return Prepared(statement);
}

void Database::put_back(const std::string& sql, Prepared statement) {
    sqlite().reset(statement.get());  // says again what step() said
    sqlite().clear_bindings(statement.get());
    idle_[sql] = std::move(statement);
}

Statement::Statement(Database& database, std::string sql)
    : database_(database), sql_(std::move(sql)), statement_(database.prepared(sql_)) {}

Statement::~Statement() {
    database_.put_back(sql_, std::move(statement_));
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) database_.fail();
}

Statement& Statement::bind(std::string_view text) {
    check(sqlite().bind_text(statement_.get(), next_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(ByteView blob) {
    // A null pointer would be NULL, not an empty value.
    const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
    check(sqlite().bind_blob(statement_.get(), next_++, data, blob.size(), SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind(std::int64_t number) {
    check(sqlite().bind_number(statement_.get(), next_++, number));
    return *this;
}

Statement& Statement::bind_null() {
    check(sqlite().bind_null(statement_.get(), next_++));
    return *this;
}

bool Statement::step() {
    const int code = sqlite().step(statement_.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail();
    return code == SQLITE_ROW;
}

std::string Statement::text(int column) const {
    const auto* data = sqlite().column_text(statement_.get(), column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite().column_bytes(statement_.get(), column))};
}

std::optional<Bytes> Statement::blob(int column) const {
    if (is_null(column)) return std::nullopt;
    const auto* data = static_cast<const Byte*>(sqlite().column_blob(statement_.get(), column));
    return Bytes(data, data + sqlite().column_bytes(statement_.get(), column));
}

bool Statement::is_null(int column) const {
    return sqlite().column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::number(int column) const {
    return sqlite().column_number(statement_.get(), column);
}

Transaction::~Transaction() {
    // Fails only where SQLite has rolled back already.
    if (database_ != nullptr) sqlite().execute(database_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    database_->run("COMMIT");
    database_ = nullptr;
}

}  // namespace p11mime::cli
