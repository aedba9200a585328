#include "cli/revocation_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "cli/paths.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr const char* kWhat = "revocation cache";
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS evidence (key TEXT PRIMARY KEY, until INTEGER NOT NULL, der BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS evidence_until ON evidence (until);"
    "CREATE TABLE revocation (certificate TEXT NOT NULL, what TEXT NOT NULL, of INTEGER NOT NULL,"
    " until INTEGER NOT NULL, der BLOB NOT NULL, PRIMARY KEY (certificate, what)) WITHOUT ROWID;";
constexpr std::int64_t kVersion = 2;

std::int64_t seconds(cms::Time time) {
    return time.time_since_epoch().count();
}

std::int64_t number_of(Database& database, const char* sql) {
    Statement query(database, sql);
    return query.step() ? query.number(0) : 0;
}

// make_room comes after something was put. What tells of revocations goes last: nothing else says it.
void make_room(Database& database, cms::Time now) {
    for (const char* sql : {"DELETE FROM evidence WHERE until < ?", "DELETE FROM revocation WHERE until < ?"})
        Statement(database, sql).bind(seconds(now)).step();
    const auto too_much = [&] {
        return number_of(database,
                         "SELECT (SELECT coalesce(sum(length(der)), 0) FROM evidence)"
                         " + (SELECT coalesce(sum(length(der)), 0) FROM revocation)") > RevocationCache::kMostBytes;
    };
    while (too_much()) {
        database.run("DELETE FROM evidence WHERE key = (SELECT key FROM evidence ORDER BY until LIMIT 1)");
        if (database.changes() == 0)
            database.run(
                "DELETE FROM revocation WHERE (certificate, what) ="
                " (SELECT certificate, what FROM revocation ORDER BY until LIMIT 1)");
    }
}

}  // namespace

std::string RevocationCache::default_path() {
    return xdg_directory("XDG_CACHE_HOME", ".cache") + "/p11mime/revocation.db";
}

// Whoever may not write the file may still read it, as in a home that is mounted to be read alone.
Database* RevocationCache::opened_to_find() {
    if (database_) return database_.get();
    const auto may = [&](int access) { return ::faccessat(AT_FDCWD, path_.c_str(), access, AT_EACCESS) == 0; };
    if (!may(R_OK)) {
        if (errno == ENOENT || errno == ENOTDIR) return nullptr;
        throw system_error(fmt::format("cannot open '{}'", path_), errno);
    }
    database_ =
        may(W_OK) ? Database::open(path_, kWhat, kSchema, kVersion) : Database::open_to_read(path_, kWhat, kVersion);
    return database_.get();
}

Database& RevocationCache::opened_to_put() {
    if (!database_) database_ = Database::open(path_, kWhat, kSchema, kVersion);
    return *database_;
}

// put_aside says whether the file is broken and was moved out of the way; the journal of one would spoil another.
bool RevocationCache::put_aside() {
    database_.reset();
    if (!Database::is_broken(path_)) return false;
    const std::string aside = path_ + ".broken";
    ::unlink((path_ + "-journal").c_str());
    if (std::rename(path_.c_str(), aside.c_str()) != 0) return false;
    warn_(fmt::format(
        "the {} '{}' is broken, so what it knew does not count; it was moved to '{}', and a new one is made", kWhat,
        path_, aside));
    return true;
}

// found is what `query` finds, nothing where the cache cannot be read.
template <class Query>
auto RevocationCache::found(const Query& query) -> decltype(query(std::declval<Database&>())) {
    if (!readable_) return {};
    try {
        Database* database = opened_to_find();
        if (database != nullptr) return query(*database);
    } catch (const Error& error) {
        if (put_aside()) return {};
        readable_ = writable_ = false;
        warn_(fmt::format("the {} cannot be read, so what it knows does not count: {}", kWhat, error.what()));
    }
    return {};
}

std::optional<Bytes> RevocationCache::find(std::string_view key, cms::Time now) {
    return found([&](Database& database) {
        Statement query(database, "SELECT der FROM evidence WHERE key = ? AND until >= ?");
        return query.bind(key).bind(seconds(now)).step() ? query.blob(0) : std::nullopt;
    });
}

std::vector<Bytes> RevocationCache::find_revocations(std::string_view certificate) {
    return found([&](Database& database) {
        Statement query(database, "SELECT der FROM revocation WHERE certificate = ?");
        query.bind(certificate);
        std::vector<Bytes> all;
        while (query.step())
            all.push_back(query.blob(0).value_or(Bytes{}));
        return all;
    });
}

// change makes one that is not of what is too large or has ended.
template <class Change>
void RevocationCache::change(ByteView der, cms::Time until, cms::Time now, const Change& change) {
    if (!writable_ || static_cast<std::int64_t>(der.size()) > kMostBytes || until < now) return;
    try {
        Database& database = opened_to_put();
        Transaction transaction(database);
        change(database);
        make_room(database, now);
        transaction.commit();
    } catch (const Error& error) {
        if (put_aside()) return;
        writable_ = false;
        warn_(fmt::format("the {} cannot be written, so what is fetched is not kept: {}", kWhat, error.what()));
    }
}

void RevocationCache::put(std::string_view key, ByteView der, cms::Time until, cms::Time now) {
    change(der, until, now, [&](Database& database) {
        Statement(database, "INSERT OR REPLACE INTO evidence (key, until, der) VALUES (?, ?, ?)")
            .bind(key)
            .bind(seconds(until))
            .bind(der)
            .step();
    });
}

void RevocationCache::put_revocation(std::string_view certificate, const Telling& telling, cms::Time now) {
    change(telling.der, telling.until, now, [&](Database& database) {
        Statement(database,
                  "INSERT INTO revocation (certificate, what, of, until, der) VALUES (?, ?, ?, ?, ?)"
                  " ON CONFLICT (certificate, what) DO UPDATE SET of = excluded.of, der = excluded.der,"
                  " until = max(until, excluded.until) WHERE excluded.of > of")
            .bind(certificate)
            .bind(telling.what)
            .bind(seconds(telling.of))
            .bind(seconds(telling.until))
            .bind(telling.der)
            .step();
    });
}

}  // namespace p11mime::cli
