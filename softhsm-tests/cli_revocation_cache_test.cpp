#include "cli/revocation_cache.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using std::chrono::hours;

namespace {

const cms::Time kNow{std::chrono::seconds(1'800'000'000)};

struct Store {
    test::TemporaryDirectory directory;
    std::string path = directory / "p11mime/revocation.db";
    RevocationCache cache{path};

    std::int64_t count(const char* sql) const {
        const auto database = Database::open(path, "revocation cache", "", 1);
        Statement query(*database, sql);
        REQUIRE(query.step());
        return query.number(0);
    }
};

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
    CHECK(RevocationCache(store.path).find("a", kNow) == der);  // as another process would see it

    store.cache.put("a", Bytes{4}, kNow + hours(3), kNow);
    CHECK(store.cache.find("a", kNow) == Bytes{4});
    store.cache.put("a", Bytes{5}, kNow + hours(1), kNow);  // what revokes one certificate is kept for it
    CHECK(store.cache.find("a", kNow + hours(3)) == Bytes{5});
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
