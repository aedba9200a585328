#include "cli/revocation_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
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
    "DROP TABLE IF EXISTS revocation;"
    "CREATE TABLE revocation (certificate TEXT NOT NULL, since INTEGER NOT NULL, reason TEXT NOT NULL,"
    " cause INTEGER NOT NULL, on_hold INTEGER NOT NULL, of INTEGER NOT NULL, ends INTEGER, until INTEGER NOT NULL,"
    " PRIMARY KEY (certificate, since, reason, cause, on_hold)) WITHOUT ROWID;"
    "CREATE INDEX revocation_until ON revocation (until);";
constexpr std::int64_t kVersion = 3;

std::int64_t seconds(cms::Time time) {
    return time.time_since_epoch().count();
}

cms::Time read_time(const Statement& row, int column) {
    return cms::Time(std::chrono::seconds(row.number(column)));
}

std::int64_t number_of(Database& database, const char* sql) {
    Statement query(database, sql);
    return query.step() ? query.number(0) : 0;
}

// make_room comes after something was put; what the tables have does not push out what the other has. Of evidence, the
// largest goes first: what a few of anybody's certificates have had fetched pushes out little.
void make_room_for_evidence(Database& database, cms::Time now) {
    Statement(database, "DELETE FROM evidence WHERE until < ?").bind(seconds(now)).step();
    while (number_of(database, "SELECT sum(length(der)) FROM evidence") > RevocationCache::kMostBytes)
        database.run(
            "DELETE FROM evidence WHERE key = (SELECT key FROM evidence ORDER BY length(der) DESC, until LIMIT 1)");
}

void make_room_for_revocations(Database& database, cms::Time now) {
    Statement(database, "DELETE FROM revocation WHERE until < ?").bind(seconds(now)).step();
    const auto surplus = number_of(database, "SELECT count(*) FROM revocation") - RevocationCache::kMostRevocations;
    if (surplus <= 0) return;
    Statement(database,
              "DELETE FROM revocation WHERE (certificate, since, reason, cause, on_hold) IN"
              " (SELECT certificate, since, reason, cause, on_hold FROM revocation ORDER BY until LIMIT ?)")
        .bind(surplus)
        .step();
}

cms::Telling read_telling(const Statement& row) {
    const cms::Revoked revoked{read_time(row, 0), row.text(1), static_cast<cms::Cause>(row.number(2)),
                               row.number(3) != 0};
    const auto ends = row.is_null(5) ? std::nullopt : std::optional(read_time(row, 5));
    return {revoked, read_time(row, 4), ends};
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

std::vector<cms::Telling> RevocationCache::find_revocations(std::string_view certificate) {
    auto of_each = find_revocations_of({std::string(certificate)});
    return of_each.empty() ? std::vector<cms::Telling>{} : std::move(of_each.front());
}

std::vector<std::vector<cms::Telling>> RevocationCache::find_revocations_of(
    const std::vector<std::string>& certificates) {
    return found([&](Database& database) {
        const std::vector<std::string_view> places(certificates.size(), "?");
        Statement query(database, fmt::format("SELECT since, reason, cause, on_hold, of, ends, certificate "
                                              "FROM revocation WHERE certificate IN ({})",
                                              fmt::join(places, ", ")));
        for (const std::string& certificate : certificates)
            query.bind(certificate);
        std::vector<std::vector<cms::Telling>> all(certificates.size());
        while (query.step()) {
            const auto which = std::ranges::find(certificates, query.text(6));
            all[static_cast<std::size_t>(which - certificates.begin())].push_back(read_telling(query));
        }
        return all;
    });
}

template <class Change>
void RevocationCache::change(const Change& change) {
    if (!writable_) return;
    try {
        Database& database = opened_to_put();
        Transaction transaction(database);
        change(database);
        transaction.commit();
    } catch (const Error& error) {
        if (put_aside()) return;
        writable_ = false;
        warn_(fmt::format("the {} cannot be written, so what is fetched is not kept: {}", kWhat, error.what()));
    }
}

void RevocationCache::put(std::string_view key, ByteView der, cms::Time until, cms::Time now) {
    if (static_cast<std::int64_t>(der.size()) > kMostBytes || until < now) return;
    change([&](Database& database) {
        Statement(database, "INSERT OR REPLACE INTO evidence (key, until, der) VALUES (?, ?, ?)")
            .bind(key)
            .bind(seconds(std::min(until, now + kLongestKept)))
            .bind(der)
            .step();
        make_room_for_evidence(database, now);
    });
}

void RevocationCache::put_revocation(std::string_view certificate, const cms::Telling& telling, cms::Time until,
                                     cms::Time now) {
    const auto known = find_revocations(certificate);
    if (std::any_of(known.begin(), known.end(),
                    [&](const cms::Telling& each) { return each.revoked == telling.revoked && each.of >= telling.of; }))
        return;
    change([&](Database& database) {
        Statement statement(database,
                            "INSERT INTO revocation (certificate, since, reason, cause, on_hold, of, until, ends)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET of = excluded.of,"
                            " ends = excluded.ends, until = max(until, excluded.until) WHERE excluded.of > of");
        const cms::Revoked& revoked = telling.revoked;
        statement.bind(certificate).bind(seconds(revoked.since)).bind(revoked.reason);
        statement.bind(static_cast<std::int64_t>(revoked.cause)).bind(std::int64_t{revoked.on_hold});
        statement.bind(seconds(telling.of)).bind(seconds(until));
        if (telling.ends)
            statement.bind(seconds(*telling.ends));
        else
            statement.bind_null();
        statement.step();
        make_room_for_revocations(database, now);
    });
}

void RevocationCache::remove_holds(std::string_view certificate, cms::Time before) {
    const auto goes = [&](const cms::Telling& each) { return each.revoked.on_hold && each.of < before; };
    if (std::ranges::none_of(find_revocations(certificate), goes)) return;
    change([&](Database& database) {
        Statement(database, "DELETE FROM revocation WHERE certificate = ? AND on_hold <> 0 AND of < ?")
            .bind(certificate)
            .bind(seconds(before))
            .step();
    });
}

}  // namespace p11mime::cli
