#include "cli/revocation_cache.h"

#include <unistd.h>

#include "cli/paths.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

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

Database* RevocationCache::opened(bool make) {
    if (database_ || useless_) return database_.get();
    if (!make && ::access(path_.c_str(), F_OK) != 0) return nullptr;
    database_ = Database::open(path_, "revocation cache", kSchema, kVersion);
    return database_.get();
}

std::optional<Bytes> RevocationCache::find(std::string_view key, cms::Time now) {
    try {
        Database* database = opened(false);
        if (database == nullptr) return std::nullopt;
        Statement query(*database, "SELECT der FROM evidence WHERE key = ? AND until >= ?");
        return query.bind(key).bind(seconds(now)).step() ? query.blob(0) : std::nullopt;
    } catch (const Error&) {
        useless_ = true;
        return std::nullopt;
    }
}

void RevocationCache::put(std::string_view key, ByteView der, cms::Time until, cms::Time now) {
    if (static_cast<std::int64_t>(der.size()) > kMostBytes || until < now) return;
    try {
        Database* database = opened(true);
        if (database == nullptr) return;
        Transaction transaction(*database);
        Statement(*database, "DELETE FROM evidence WHERE until < ?").bind(seconds(now)).step();
        Statement(*database,
                  "INSERT INTO evidence (key, until, der) VALUES (?, ?, ?) "
                  "ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until), der = excluded.der")
            .bind(key)
            .bind(seconds(until))
            .bind(der)
            .step();
        while (total_size(*database) > kMostBytes)
            database->run("DELETE FROM evidence WHERE key = (SELECT key FROM evidence ORDER BY until LIMIT 1)");
        transaction.commit();
    } catch (const Error&) {
        useless_ = true;
    }
}

}  // namespace p11mime::cli
