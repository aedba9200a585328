#include "cli/revocation_cache.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using p11mime::test::read_file;
using p11mime::test::write_file;
using std::chrono::hours;

namespace {

const cms::Time kNow{std::chrono::seconds(1'800'000'000)};

struct Store {
    test::TemporaryDirectory directory;
    std::string path = directory / "p11mime/revocation.db";
    std::vector<std::string> warnings;
    RevocationCache cache = opened();

    /// opened is the cache as another process has it.
    RevocationCache opened() {
        return {path, [this](const std::string& line) { warnings.push_back(line); }};
    }

    std::int64_t count(const char* sql) const {
        const auto database = Database::open(path, "revocation cache", "", 3);
        Statement query(*database, sql);
        REQUIRE(query.step());
        return query.number(0);
    }
};

cms::Telling told(const std::string& reason, int of = 0) {
    return {{kNow - hours(50), reason, cms::Cause::key_compromised}, kNow + hours(of), kNow + hours(of + 1)};
}

}  // namespace

TEST_CASE("the cache gives what it keeps until that ends", "[cli]") {
    Store store;
    const Bytes der{1, 2, 3};
    CHECK_FALSE(store.cache.find("a", kNow));
    store.cache.put("a", der, kNow + hours(2), kNow);
    CHECK(store.cache.find("a", kNow) == der);
    CHECK(store.cache.find("a", kNow + hours(2)) == der);
    CHECK_FALSE(store.cache.find("a", kNow + hours(2) + std::chrono::seconds(1)));
    CHECK_FALSE(store.cache.find("b", kNow));
    CHECK(store.opened().find("a", kNow) == der);

    store.cache.put("a", Bytes{4}, kNow + hours(3), kNow);
    CHECK(store.cache.find("a", kNow) == Bytes{4});
    store.cache.put("a", Bytes{5}, kNow + hours(1), kNow);
    CHECK_FALSE(store.cache.find("a", kNow + hours(3)));
    store.cache.put("c", der, kNow - hours(1), kNow);
    CHECK(store.count("SELECT count(*) FROM evidence") == 1);
}

TEST_CASE("what has ended leaves the cache when something else is kept", "[cli]") {
    Store store;
    store.cache.put("short", Bytes{1}, kNow + hours(1), kNow);
    store.cache.put("long", Bytes{2}, kNow + hours(9), kNow);
    store.cache.put("new", Bytes{3}, kNow + hours(9), kNow + hours(2));
    CHECK(store.count("SELECT count(*) FROM evidence") == 2);
    CHECK(store.cache.find("long", kNow + hours(2)));
    CHECK(store.cache.find("new", kNow + hours(2)));
}

TEST_CASE("the cache holds no more than its limit, and what ends first makes room", "[cli]") {
    Store store;
    const Bytes third(static_cast<std::size_t>(RevocationCache::kMostBytes / 3));
    store.cache.put("second", third, kNow + hours(2), kNow);
    store.cache.put("first", third, kNow + hours(1), kNow);
    store.cache.put("third", third, kNow + hours(3), kNow);
    CHECK(store.cache.find("first", kNow));
    store.cache.put("fourth", third, kNow + hours(4), kNow);
    CHECK_FALSE(store.cache.find("first", kNow));
    for (const char* key : {"second", "third", "fourth"})
        CHECK(store.cache.find(key, kNow));
    CHECK(store.count("SELECT sum(length(der)) FROM evidence") <= RevocationCache::kMostBytes);

    // What is larger by itself is not kept, and drives nothing out.
    store.cache.put("huge", Bytes(static_cast<std::size_t>(RevocationCache::kMostBytes) + 1), kNow + hours(9), kNow);
    CHECK_FALSE(store.cache.find("huge", kNow));
    CHECK(store.cache.find("second", kNow));
}

TEST_CASE("the cache keeps nothing for ever", "[cli]") {
    Store store;
    store.cache.put("endless", Bytes{1}, kNow + hours(70'000'000), kNow);
    store.cache.put("of half a year", Bytes{2}, kNow + hours(183 * 24), kNow);
    CHECK(store.cache.find("of half a year", kNow + hours(182 * 24)));
    CHECK(store.cache.find("endless", kNow + hours(365 * 24)));
    CHECK_FALSE(store.cache.find("endless", kNow + hours(367 * 24)));
}

TEST_CASE("the cache keeps each thing that was told of a revocation, in its newest form", "[cli]") {
    Store store;
    const auto put = [&](const cms::Telling& telling) {
        store.cache.put_revocation("alice", telling, kNow + hours(9), kNow);
    };
    for (const auto& telling : {told("on hold", 0), told("revoked", 1), told("on hold", 2), told("revoked", 0)})
        put(telling);
    cms::Telling endless{{cms::Time::min(), {}, cms::Cause::orderly, true}, kNow, std::nullopt};
    put(endless);
    const auto all = store.opened().find_revocations("alice");
    REQUIRE(all.size() == 3);
    const auto same = [](const cms::Telling& a, const cms::Telling& b) {
        return a.revoked == b.revoked && a.of == b.of && a.ends == b.ends;
    };
    CHECK(same(all[0], endless));
    CHECK(same(all[1], told("on hold", 2)));
    CHECK(same(all[2], told("revoked", 1)));
    CHECK(store.cache.find_revocations("bob").empty());

    store.cache.put_revocation("bob", told("revoked"), kNow + hours(20), kNow + hours(10));
    CHECK(store.cache.find_revocations("alice").empty());
}

TEST_CASE("the cache forgets holds of a certificate from before a time, and nothing else", "[cli]") {
    Store store;
    const auto hold = [](int of) {
        return cms::Telling{{kNow - hours(99), {}, cms::Cause::other, true}, kNow + hours(of), std::nullopt};
    };
    for (const char* name : {"alice", "bob"}) {
        store.cache.put_revocation(name, hold(1), kNow + hours(9), kNow);
        store.cache.put_revocation(name, told("revoked", 1), kNow + hours(9), kNow);
    }
    store.cache.remove_holds("alice", kNow + hours(1));
    CHECK(store.opened().find_revocations("alice").size() == 2);
    store.cache.remove_holds("alice", kNow + hours(2));
    const auto left = store.opened().find_revocations("alice");
    REQUIRE(left.size() == 1);
    CHECK_FALSE(left.front().revoked.on_hold);
    CHECK(store.opened().find_revocations("bob").size() == 2);
}

TEST_CASE("a few large things push nothing small out of a full cache, however long they last", "[cli]") {
    Store store;
    store.cache.put("small", Bytes(1'000), kNow + hours(1), kNow);
    for (const char* key : {"first", "second", "third"})
        store.cache.put(key, Bytes(static_cast<std::size_t>(RevocationCache::kMostBytes / 5 * 2)), kNow + hours(9'000),
                        kNow);
    CHECK(store.cache.find("small", kNow));
    CHECK(store.count("SELECT count(*) FROM evidence") == 3);
}

TEST_CASE("what was told of revocations and what tells of them push one another out of no full cache", "[cli]") {
    Store store;
    const Bytes third(static_cast<std::size_t>(RevocationCache::kMostBytes / 3));
    for (const char* key : {"first", "second", "third"})
        store.cache.put(key, third, kNow + hours(2), kNow);
    store.cache.put_revocation("alice", told("revoked"), kNow + hours(3), kNow);
    const auto database = Database::open(store.path, "revocation cache", "", 3);
    Statement(*database,
              "WITH RECURSIVE number(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
              " INSERT INTO revocation SELECT 'other ' || n, 0, '', 0, 0, 0, NULL, ? FROM number")
        .bind(RevocationCache::kMostRevocations)
        .bind((kNow + hours(2)).time_since_epoch().count())
        .step();
    CHECK(store.count("SELECT count(*) FROM revocation") == RevocationCache::kMostRevocations);
    for (const char* name : {"bob", "carol"})
        store.cache.put_revocation(name, told("revoked"), kNow + hours(4), kNow);
    CHECK(store.count("SELECT count(*) FROM revocation") == RevocationCache::kMostRevocations);
    store.cache.put("fourth", third, kNow + hours(3), kNow);
    CHECK(store.count("SELECT count(*) FROM evidence") == 3);
    for (const char* name : {"alice", "bob", "carol"})
        CHECK(store.cache.find_revocations(name).size() == 1);
}

TEST_CASE("a cache of a version before is read on", "[cli]") {
    Store store;
    const bool remembers = GENERATE(false, true);
    const std::string evidence =
        "CREATE TABLE evidence (key TEXT PRIMARY KEY, until INTEGER NOT NULL, der BLOB NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX evidence_until ON evidence (until);"
        "INSERT INTO evidence VALUES ('a', 1900000000, x'01');";
    const std::string revocation =
        "CREATE TABLE revocation (certificate TEXT NOT NULL, what TEXT NOT NULL, of INTEGER NOT NULL,"
        " until INTEGER NOT NULL, der BLOB NOT NULL, PRIMARY KEY (certificate, what)) WITHOUT ROWID;"
        "INSERT INTO revocation VALUES ('alice', 'revoked', 0, 1900000000, x'02')";
    Database::open(store.path, "revocation cache", (remembers ? evidence + revocation : evidence).c_str(),
                   remembers ? 2 : 1);
    CHECK(store.cache.find("a", kNow) == Bytes{1});
    store.cache.put_revocation("alice", told("revoked"), kNow + hours(1), kNow);
    CHECK(store.cache.find_revocations("alice").size() == 1);
    CHECK(store.warnings.empty());
}

TEST_CASE("a cache that cannot be written is not complained of for what it has", "[cli]") {
    Store store;
    store.cache.put_revocation("alice", told("revoked", 1), kNow + hours(9), kNow);
    const auto other = Database::open(store.path, "revocation cache", "", 3);
    other->run("CREATE TRIGGER full BEFORE INSERT ON revocation BEGIN SELECT raise(ABORT, 'no space'); END");
    store.cache.put_revocation("alice", told("revoked", 1), kNow + hours(10), kNow);
    CHECK(store.warnings.empty());
    store.cache.put_revocation("alice", told("revoked", 2), kNow + hours(10), kNow);
    CHECK(store.warnings.size() == 1);
}

TEST_CASE("a cache is read where it cannot be written, and that nothing is kept is said once", "[cli]") {
    Store store;
    store.cache.put("a", Bytes{1}, kNow + hours(2), kNow);
    namespace fs = std::filesystem;
    fs::permissions(store.path, fs::perms(0444));
    for (const fs::path& each : {store.directory.path() / "p11mime", store.directory.path()})
        fs::permissions(each, fs::perms(0555));
    if (::geteuid() == 0) REQUIRE(::seteuid(65534) == 0);  // root may write whatever the mode says
    RevocationCache cache = store.opened();
    CHECK(cache.find("a", kNow) == Bytes{1});
    CHECK(store.warnings.empty());
    for (int i = 0; i < 2; ++i)
        cache.put("b", Bytes{2}, kNow + hours(2), kNow);
    CHECK(cache.find("a", kNow) == Bytes{1});
    REQUIRE(store.warnings.size() == 1);
    CHECK_THAT(store.warnings[0], Catch::Contains("cache cannot be written, so what is fetched is not kept: ") &&
                                      Catch::Contains(store.path));
    if (::geteuid() != ::getuid()) REQUIRE(::seteuid(::getuid()) == 0);
    for (const fs::path& each : {store.directory.path(), store.directory.path() / "p11mime"})
        fs::permissions(each, fs::perms(0755));
}

TEST_CASE("a cache that cannot be read is said once, with the cause", "[cli]") {
    Store store;
    store.cache.put("a", Bytes{1}, kNow + hours(2), kNow);
    const auto nothing = [&](const std::string& cause) {
        RevocationCache cache = store.opened();
        for (int i = 0; i < 2; ++i)
            CHECK_FALSE(cache.find("a", kNow));
        cache.put("b", Bytes{2}, kNow + hours(2), kNow);
        REQUIRE(store.warnings.size() == 1);
        CHECK_THAT(store.warnings[0], Catch::Contains("cache cannot be read, so what it knows does not count: ") &&
                                          Catch::Contains(store.path) && Catch::Contains(cause));
    };
    const auto other = Database::open(store.path, "revocation cache", "", 3);
    SECTION("another process holds it") {
        other->run("BEGIN EXCLUSIVE");
        nothing("locked");
    }
    SECTION("a newer version has made it") {
        other->run("PRAGMA user_version = 4");
        nothing("newer version");
    }
}

TEST_CASE("a cache that is broken is put aside and made anew", "[cli]") {
    Store store;
    for (int i = 0; i < 50; ++i)
        store.cache.put(std::to_string(i), Bytes(5000, 1), kNow + hours(2), kNow);
    const std::string sound = read_file(store.path);
    const auto [broken, journal] = GENERATE_COPY(table<std::string, bool>(
        {{std::string(9000, 'x'), true}, {sound.substr(0, 4096) + std::string(sound.size() - 4096, 'x'), false}}));
    write_file(store.path, broken);
    if (journal) write_file(store.path + "-journal", "left over");
    RevocationCache cache = store.opened();
    CHECK_FALSE(cache.find("a", kNow));
    REQUIRE(store.warnings.size() == 1);
    CHECK_THAT(store.warnings[0], Catch::Contains("is broken, so what it knew does not count"));
    CHECK(read_file(store.path + ".broken") == broken);
    CHECK_FALSE(std::filesystem::exists(store.path + "-journal"));

    cache.put("a", Bytes{1}, kNow + hours(2), kNow);
    CHECK(store.opened().find("a", kNow) == Bytes{1});
    CHECK(store.warnings.size() == 1);
}
