#include "cli/pin_record.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/paths.h"
#include "cli/sqlite.h"
#include "cms/digests.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS salt (salt BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
  serial TEXT NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL, mark INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (serial, label, kind, mark));
)";
constexpr std::int64_t kSchemaVersion = 1;

std::string path() {
    return xdg_directory("XDG_STATE_HOME", ".local/state") + "/p11mime/refused-pins.sqlite";
}

std::unique_ptr<Database> writing() {
    return Database::open(path(), "record of refused PINs", kSchema, kSchemaVersion);
}

// Null where nothing was ever refused.
std::unique_ptr<Database> reading() {
    if (::access(path().c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) return nullptr;
    return writing();
}

// One salt for all, so that several tokens that refused one PIN tell no more of it than one.
Bytes salt_of(Database& database) {
    Statement(database, "INSERT INTO salt (salt) SELECT randomblob(16) WHERE NOT EXISTS (SELECT 1 FROM salt)").step();
    Statement query(database, "SELECT salt FROM salt");
    query.step();
    return query.blob(0).value_or(Bytes{});
}

std::int64_t mark_of(Database& database, const SecretBytes& pin) {
    cms::Digests digest({cms::Hash::sha256});
    digest.push(salt_of(database));
    digest.push(pin.view());
    const Bytes value = digest.value(cms::Hash::sha256).value();
    return value[0] << 4 | value[1] >> 4;
}

std::optional<cms::Time> time_in(Statement& query) {
    if (!query.step()) return std::nullopt;
    return cms::Time(std::chrono::seconds(query.number(0)));
}

std::size_t changes(Database& database) {
    return database.changes();
}

}  // namespace

void record_refused_pin(const token::TokenInfo& token, token::PinKind kind, const SecretBytes& pin) {
    const auto database = writing();
    Transaction transaction(*database);
    const std::int64_t mark = mark_of(*database, pin);
    Statement(*database, "INSERT OR REPLACE INTO refused (serial, label, kind, mark, at) VALUES (?, ?, ?, ?, ?)")
        .bind(token.serial)
        .bind(token.label)
        .bind(token::pin_name(kind))
        .bind(mark)
        .bind(std::int64_t{cms::SystemClock().now().time_since_epoch().count()})
        .step();
    transaction.commit();
}

std::optional<cms::Time> refused_at(const token::TokenInfo& token, token::PinKind kind, const SecretBytes& pin) {
    const auto database = reading();
    if (!database) return std::nullopt;
    Statement query(*database, "SELECT at FROM refused WHERE serial = ? AND label = ? AND kind = ? AND mark = ?");
    query.bind(token.serial).bind(token.label).bind(token::pin_name(kind)).bind(mark_of(*database, pin));
    return time_in(query);
}

std::optional<cms::Time> refused_at(const token::TokenInfo& token) {
    const auto database = reading();
    if (!database) return std::nullopt;
    Statement query(*database, "SELECT at FROM refused WHERE serial = ? AND label = ? ORDER BY at DESC LIMIT 1");
    query.bind(token.serial).bind(token.label);
    return time_in(query);
}

std::size_t forget_refused_pins(const token::TokenInfo& token) {
    const auto database = reading();
    if (!database) return 0;
    Statement(*database, "DELETE FROM refused WHERE serial = ? AND label = ?")
        .bind(token.serial)
        .bind(token.label)
        .step();
    return changes(*database);
}

std::size_t forget_refused_pins(const std::optional<token::Uri>& tokens) {
    const auto database = reading();
    if (!database) return 0;
    Statement remove(*database,
                     "DELETE FROM refused WHERE serial = coalesce(?, serial) AND label = coalesce(?, label)");
    for (const auto& wanted : {tokens ? tokens->serial : std::nullopt, tokens ? tokens->token : std::nullopt}) {
        if (wanted)
            remove.bind(*wanted);
        else
            remove.bind_null();
    }
    remove.step();
    return changes(*database);
}

}  // namespace p11mime::cli
