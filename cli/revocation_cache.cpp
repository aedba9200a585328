#include "cli/revocation_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/paths.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr const char* kWhat = "revocation cache";
constexpr const char* kSchema =
    "CREATE TABLE evidence (key TEXT PRIMARY KEY, until INTEGER NOT NULL, der BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX evidence_until ON evidence (until);";
constexpr std::int64_t kVersion = 1;

std::int64_t seconds(cms::Time time) {
    return time.time_since_epoch().count();
}

std::int64_t total_size(Database& database) {
    Statement query(database, "SELECT coalesce(sum(length(der)), 0) FROM evidence");
    return query.step() ? query.number(0) : 0;
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

std::optional<Bytes> RevocationCache::find(std::string_view key, cms::Time now) {
    if (!readable_) return std::nullopt;
    try {
        Database* database = opened_to_find();
        if (database == nullptr) return std::nullopt;
        Statement query(*database, "SELECT der FROM evidence WHERE key = ? AND until >= ?");
        return query.bind(key).bind(seconds(now)).step() ? query.blob(0) : std::nullopt;
    } catch (const Error& error) {
        if (put_aside()) return std::nullopt;
        readable_ = writable_ = false;
        warn_(fmt::format("the {} cannot be read, so what it knows does not count: {}", kWhat, error.what()));
        return std::nullopt;
    }
}

void RevocationCache::put(std::string_view key, ByteView der, cms::Time until, cms::Time now) {
    if (!writable_ || static_cast<std::int64_t>(der.size()) > kMostBytes || until < now) return;
    try {
        Database& database = opened_to_put();
        Transaction transaction(database);
        Statement(database, "DELETE FROM evidence WHERE until < ?").bind(seconds(now)).step();
        Statement(database,
                  "INSERT INTO evidence (key, until, der) VALUES (?, ?, ?) "
                  "ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until), der = excluded.der")
            .bind(key)
            .bind(seconds(until))
            .bind(der)
            .step();
        while (total_size(database) > kMostBytes)
            database.run("DELETE FROM evidence WHERE key = (SELECT key FROM evidence ORDER BY until LIMIT 1)");
        transaction.commit();
    } catch (const Error& error) {
        if (put_aside()) return;
        writable_ = false;
        warn_(fmt::format("the {} cannot be written, so what is fetched is not kept: {}", kWhat, error.what()));
    }
}

}  // namespace p11mime::cli
