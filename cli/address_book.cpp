#include "cli/address_book.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "cli/paths.h"
#include "cli/sqlite.h"
#include "cms/trust_settings.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS certificate (
  fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL, subject BLOB NOT NULL, issuer BLOB NOT NULL, serial BLOB NOT NULL,
  key_identifier BLOB, capabilities BLOB, source TEXT NOT NULL, added INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS certificate_issuer_serial ON certificate (issuer, serial);
CREATE INDEX IF NOT EXISTS certificate_key_identifier ON certificate (key_identifier);
CREATE TABLE IF NOT EXISTS address (
  mailbox TEXT NOT NULL, fingerprint TEXT NOT NULL REFERENCES certificate ON DELETE CASCADE,
  PRIMARY KEY (mailbox, fingerprint));
CREATE TABLE IF NOT EXISTS anchor (
  fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL, added INTEGER NOT NULL);
DROP INDEX IF EXISTS certificate_subject;
ALTER TABLE certificate ADD COLUMN subject_hash INTEGER;
CREATE INDEX certificate_subject_hash ON certificate (subject_hash);
)";
constexpr std::int64_t kSchemaVersion = 2;  // before, certificates had no subject_hash
constexpr std::size_t kShortestFingerprint = 8;

std::int64_t seconds(cms::Time time) {
    return time.time_since_epoch().count();
}

cms::Time time_of(std::int64_t seconds) {
    return cms::Time(std::chrono::seconds(seconds));
}

std::vector<BookEntry> entries(Statement& statement) {
    std::vector<BookEntry> found;
    while (statement.step())
        found.push_back({.certificate = cms::Certificate::from_der(statement.blob(0).value_or(Bytes{})),
                         .capabilities = statement.blob(1),
                         .source = statement.text(2),
                         .added = time_of(statement.number(3))});
    return found;
}

std::vector<cms::Certificate> certificates(Statement& statement) {
    std::vector<cms::Certificate> found;
    while (statement.step())
        found.push_back(cms::Certificate::from_der(statement.blob(0).value_or(Bytes{})));
    return found;
}

std::int64_t hash_of(const X509_NAME* name) {
    return cms::name_hash(name);
}

// hash_names gives those that an older version has put their subject_hash.
void hash_names(Database& database) {
    Statement query(database, "SELECT fingerprint, der FROM certificate WHERE subject_hash IS NULL");
    std::vector<std::pair<std::string, std::int64_t>> hashes;
    while (query.step()) {
        const auto certificate = cms::Certificate::from_der(query.blob(1).value_or(Bytes{}));
        hashes.emplace_back(query.text(0), hash_of(X509_get_subject_name(certificate.get())));
    }
    for (const auto& [fingerprint, hash] : hashes)
        Statement(database, "UPDATE certificate SET subject_hash = ? WHERE fingerprint = ?")
            .bind(hash)
            .bind(fingerprint)
            .step();
}

void bind_names(Statement& statement, const cms::Certificate& certificate) {
    statement.bind(certificate.fingerprint_sha256()).bind(certificate.der()).bind(certificate.subject_der());
    statement.bind(certificate.issuer_der()).bind(certificate.serial_der());
    statement.bind(hash_of(X509_get_subject_name(certificate.get())));
    if (const auto identifier = certificate.subject_key_identifier())
        statement.bind(*identifier);
    else
        statement.bind_null();
}

}  // namespace

AddressBook::AddressBook(std::string path) : path_(std::move(path)) {}
AddressBook::~AddressBook() = default;

std::string AddressBook::default_path() {
    return xdg_directory("XDG_DATA_HOME", ".local/share") + "/p11mime/addressbook.sqlite";
}

Database* AddressBook::reading() {
    if (database_) return database_.get();
    if (::access(path_.c_str(), F_OK) != 0 && errno == ENOENT) return nullptr;
    return &writing();
}

Database& AddressBook::writing() {
    if (!database_) database_ = Database::open(path_, "address book", kSchema, kSchemaVersion, hash_names);
    return *database_;
}

bool AddressBook::put(const cms::Certificate& certificate, const std::optional<Bytes>& capabilities,
                      std::string_view source, cms::Time now) {
    const std::lock_guard lock(mutex_);
    Database& database = writing();
    const std::string fingerprint = certificate.fingerprint_sha256();
    Transaction transaction(database);
    Statement insert(database,
                     "INSERT OR IGNORE INTO certificate (fingerprint, der, subject, issuer, serial, subject_hash, "
                     "key_identifier, source, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind_names(insert, certificate);
    insert.bind(source).bind(seconds(now)).step();
    const bool added = database.changes() > 0;
    if (capabilities) {
        Statement update(database, "UPDATE certificate SET capabilities = ? WHERE fingerprint = ?");
        update.bind(*capabilities).bind(fingerprint).step();
    }
    for (const std::string& mailbox : certificate.emails()) {
        Statement address(database, "INSERT OR IGNORE INTO address (mailbox, fingerprint) VALUES (?, ?)");
        address.bind(mime::ascii_lower(mailbox)).bind(fingerprint).step();
    }
    transaction.commit();
    return added;
}

std::vector<BookEntry> AddressBook::all() {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    Statement query(*database, "SELECT der, capabilities, source, added FROM certificate ORDER BY added, fingerprint");
    return entries(query);
}

std::vector<BookEntry> AddressBook::by_address(std::string_view mailbox) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    Statement query(*database,
                    "SELECT der, capabilities, source, added FROM certificate NATURAL JOIN address WHERE mailbox = ? "
                    "ORDER BY added, fingerprint");
    query.bind(mime::ascii_lower(mailbox));
    return entries(query);
}

std::vector<std::string> AddressBook::addresses() {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    Statement query(*database, "SELECT DISTINCT mailbox FROM address");
    std::vector<std::string> found;
    while (query.step())
        found.push_back(query.text(0));
    return found;
}

std::vector<BookEntry> AddressBook::by_fingerprint(std::string_view fingerprint) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    const auto digits = normal_fingerprint(fingerprint);
    if (database == nullptr || !digits) return {};
    Statement query(*database,
                    "SELECT der, capabilities, source, added FROM certificate WHERE substr(fingerprint, 1, ?) = ?");
    query.bind(static_cast<std::int64_t>(digits->size())).bind(*digits);
    return entries(query);
}

bool AddressBook::remove(const std::string& fingerprint) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return false;
    Statement statement(*database, "DELETE FROM certificate WHERE fingerprint = ?");
    statement.bind(fingerprint).step();
    return database->changes() > 0;
}

bool AddressBook::trust(const cms::Certificate& certificate, cms::Time now) {
    const std::lock_guard lock(mutex_);
    Database& database = writing();
    Statement statement(database,
                        "INSERT INTO anchor (fingerprint, der, added) VALUES (?, ?, ?) "
                        "ON CONFLICT (fingerprint) DO UPDATE SET der = excluded.der WHERE der <> excluded.der");
    statement.bind(certificate.fingerprint_sha256()).bind(cms::der_with_settings(certificate));
    statement.bind(seconds(now)).step();
    return database.changes() > 0;
}

bool AddressBook::distrust(const std::string& fingerprint) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return false;
    Statement statement(*database, "DELETE FROM anchor WHERE fingerprint = ?");
    statement.bind(fingerprint).step();
    return database->changes() > 0;
}

std::vector<Anchor> AddressBook::anchors() {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    Statement query(*database, "SELECT der, added FROM anchor ORDER BY added, fingerprint");
    std::vector<Anchor> found;
    while (query.step())
        found.push_back({cms::from_der_with_settings(query.blob(0).value_or(Bytes{})), time_of(query.number(1))});
    return found;
}

std::vector<cms::Certificate> AddressBook::by_subject(ByteView name_der) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    Statement query(*database, "SELECT der FROM certificate WHERE subject_hash = ?");
    query.bind(std::int64_t{cms::name_hash(name_der)});
    return cms::MemoryCertificates(certificates(query)).by_subject(name_der);  // names with one hash need not be one
}

std::vector<cms::Certificate> AddressBook::by_identifier(const cms::RecipientIdentifier& identifier) {
    const std::lock_guard lock(mutex_);
    Database* database = reading();
    if (database == nullptr) return {};
    const bool by_key = identifier.issuer_der.empty();
    Statement query(*database, by_key ? "SELECT der FROM certificate WHERE key_identifier = ?"
                                      : "SELECT der FROM certificate WHERE issuer = ? AND serial = ?");
    if (by_key)
        query.bind(identifier.key_identifier);
    else
        query.bind(identifier.issuer_der).bind(identifier.serial_der);
    return certificates(query);
}

cms::MemoryCertificates& BookAnchors::loaded() {
    const std::lock_guard lock(mutex_);
    if (!loaded_) {
        std::vector<cms::Certificate> all;
        for (Anchor& anchor : book_->anchors())
            all.push_back(std::move(anchor.certificate));
        loaded_ = std::make_unique<cms::MemoryCertificates>(std::move(all));
    }
    return *loaded_;
}

std::vector<cms::Certificate> BookAnchors::by_subject(ByteView name_der) {
    return loaded().by_subject(name_der);
}

std::vector<cms::Certificate> BookAnchors::by_identifier(const cms::RecipientIdentifier& identifier) {
    return loaded().by_identifier(identifier);
}

std::optional<std::string> normal_fingerprint(std::string_view text) {
    std::string digits;
    for (const char c : mime::ascii_lower(text)) {
        if (c == ':') continue;
        if (std::string_view("0123456789abcdef").find(c) == std::string_view::npos) return std::nullopt;
        digits += c;
    }
    if (digits.size() < kShortestFingerprint) return std::nullopt;
    return digits;
}

}  // namespace p11mime::cli
