#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "cli/address_book.h"
#include "cli/sqlite.h"
#include "cms/encode.h"
#include "cms/trust_settings.h"
#include "mime/error.h"
#include "softhsm-tests/support/pki.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

const cms::Time kNow{std::chrono::seconds(1'800'000'000)};

struct Shelf {
    test::TemporaryDirectory directory;
    std::string path = directory / "data/p11mime/addressbook.sqlite";
    test::TestPki pki;
    AddressBook book{path};

    cms::Certificate issue(const std::string& name, const std::string& email) const {
        const std::string der =
            pki.issue({.name = name, .email = email, .kind = test::KeyKind::p256}).certificate_der();
        return cms::Certificate::from_der(bytes_of(der));
    }
};

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

}  // namespace

TEST_CASE("looking into an address book that is not there does not make one", "[cli]") {
    Shelf shelf;
    CHECK(shelf.book.all().empty());
    CHECK(shelf.book.anchors().empty());
    CHECK(shelf.book.by_address("bob@example.gov").empty());
    CHECK_FALSE(shelf.book.remove("00"));
    CHECK(access((shelf.directory / "data").c_str(), F_OK) != 0);
}

TEST_CASE("the address book is for its owner alone", "[cli]") {
    Shelf shelf;
    CHECK(shelf.book.put(shelf.issue("Bob", "bob@example.gov"), std::nullopt, "import", kNow));
    CHECK(mode_of(shelf.path) == 0600);
    CHECK(mode_of(shelf.directory / "data/p11mime") == 0700);
}

TEST_CASE("certificates are found by address without regard to case, and by fingerprint", "[cli]") {
    Shelf shelf;
    const auto bob = shelf.issue("Bob", "Bob@Example.gov");
    const auto carol = shelf.issue("Carol", "carol@example.org");
    CHECK(shelf.book.put(bob, std::nullopt, "import", kNow));
    CHECK(shelf.book.put(carol, std::nullopt, "mail", kNow));
    CHECK_FALSE(shelf.book.put(bob, std::nullopt, "mail", kNow));

    const auto found = shelf.book.by_address("bob@example.GOV");
    REQUIRE(found.size() == 1);
    CHECK(found[0].certificate == bob);
    CHECK(found[0].source == "import");
    CHECK(found[0].added == kNow);
    CHECK_FALSE(found[0].capabilities);

    const std::string fingerprint = carol.fingerprint_sha256();
    CHECK(shelf.book.by_fingerprint(fingerprint).size() == 1);
    CHECK(shelf.book.by_fingerprint(fingerprint.substr(0, 8)).size() == 1);
    CHECK(shelf.book.by_fingerprint(fingerprint.substr(0, 7)).empty());
    CHECK(shelf.book.by_fingerprint(fmt::format("{}:{}", fingerprint.substr(0, 2), fingerprint.substr(2))).size() == 1);
    CHECK(shelf.book.by_fingerprint("not hexadecimal").empty());
    CHECK(shelf.book.all().size() == 2);
}

TEST_CASE("remembered capabilities stay when a certificate is put again without", "[cli]") {
    Shelf shelf;
    const auto bob = shelf.issue("Bob", "bob@example.gov");
    shelf.book.put(bob, Bytes{0x30, 0x00}, "mail", kNow);
    shelf.book.put(bob, std::nullopt, "import", kNow);
    CHECK(shelf.book.by_address("bob@example.gov").at(0).capabilities == Bytes{0x30, 0x00});
    shelf.book.put(bob, Bytes{0x30, 0x01, 0x05}, "mail", kNow);
    CHECK(shelf.book.by_address("bob@example.gov").at(0).capabilities == Bytes{0x30, 0x01, 0x05});
}

TEST_CASE("a certificate that is removed is found by nothing any more", "[cli]") {
    Shelf shelf;
    const auto bob = shelf.issue("Bob", "bob@example.gov");
    shelf.book.put(bob, std::nullopt, "import", kNow);
    CHECK(shelf.book.remove(bob.fingerprint_sha256()));
    CHECK_FALSE(shelf.book.remove(bob.fingerprint_sha256()));
    CHECK(shelf.book.by_address("bob@example.gov").empty());
    CHECK(shelf.book.by_subject(bob.subject_der()).empty());
}

TEST_CASE("as a source the book gives certificates by subject, serial number and key identifier", "[cli]") {
    Shelf shelf;
    const auto bob = shelf.issue("Bob", "bob@example.gov");
    shelf.book.put(bob, std::nullopt, "import", kNow);
    shelf.book.put(shelf.issue("Carol", "carol@example.org"), std::nullopt, "import", kNow);
    REQUIRE(shelf.book.by_subject(bob.subject_der()).size() == 1);
    CHECK(shelf.book.by_subject(bob.subject_der())[0] == bob);
    CHECK(shelf.book.by_identifier({bob.issuer_der(), bob.serial_der(), {}}) == std::vector{bob});
    CHECK(shelf.book.by_identifier({{}, {}, bob.subject_key_identifier().value()}) == std::vector{bob});
    CHECK(shelf.book.by_identifier({bob.issuer_der(), {0x02, 0x01, 0x01}, {}}).empty());
    CHECK(shelf.book.by_identifier({{}, {}, {1, 2, 3}}).empty());
}

TEST_CASE("the book gives certificates by a name that is written in another way", "[cli]") {
    Shelf shelf;
    const auto bob = shelf.issue("Bob Example", "bob@example.gov");
    const NameHandle name(X509_NAME_dup(X509_get_subject_name(bob.get())));
    const int place = X509_NAME_get_index_by_NID(name.get(), NID_commonName, -1);
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name.get(), place));
    const auto with_common_name = [&](int type, const char* text) {
        const NameHandle other(X509_NAME_dup(name.get()));
        REQUIRE(X509_NAME_add_entry_by_NID(other.get(), NID_commonName, type, reinterpret_cast<const Byte*>(text), -1,
                                           place, 0) == 1);
        return cms::encode(other.get(), i2d_X509_NAME);
    };
    const Bytes other = with_common_name(V_ASN1_PRINTABLESTRING, "bob  EXAMPLE");
    REQUIRE(other != bob.subject_der());
    const bool of_older_version = GENERATE(false, true);
    if (of_older_version) {
        const auto old = Database::open(shelf.path, "address book", R"(
CREATE TABLE certificate (
  fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL, subject BLOB NOT NULL, issuer BLOB NOT NULL, serial BLOB NOT NULL,
  key_identifier BLOB, capabilities BLOB, source TEXT NOT NULL, added INTEGER NOT NULL);
CREATE INDEX certificate_subject ON certificate (subject);)",
                                        1);
        Statement(*old,
                  "INSERT INTO certificate (fingerprint, der, subject, issuer, serial, source, added) "
                  "VALUES (?, ?, ?, ?, ?, 'import', 1)")
            .bind(bob.fingerprint_sha256())
            .bind(bob.der())
            .bind(bob.subject_der())
            .bind(bob.issuer_der())
            .bind(bob.serial_der())
            .step();
    } else {
        shelf.book.put(bob, std::nullopt, "import", kNow);
    }
    REQUIRE(shelf.book.by_subject(other).size() == 1);
    CHECK(shelf.book.by_subject(other)[0] == bob);
    CHECK(shelf.book.by_subject(bob.subject_der()).size() == 1);
    CHECK(shelf.book.by_subject(with_common_name(V_ASN1_PRINTABLESTRING, "bobexample")).empty());
    CHECK(shelf.book.by_subject(Bytes{}).empty());
    CHECK_FALSE(shelf.book.put(bob, std::nullopt, "import", kNow));
}

TEST_CASE("own anchors are kept apart from correspondents", "[cli]") {
    Shelf shelf;
    const auto root = cms::Certificate::from_file_bytes(bytes_of(shelf.pki.root_pem())).at(0);
    const auto book = std::make_shared<AddressBook>(shelf.path);
    CHECK(book->trust(root, kNow));
    CHECK_FALSE(book->trust(root, kNow));
    CHECK(book->all().empty());
    CHECK(book->by_subject(root.subject_der()).empty());
    CHECK(BookAnchors(book).by_subject(root.subject_der()).size() == 1);
    CHECK(book->anchors().size() == 1);
    CHECK(book->distrust(root.fingerprint_sha256()));
    CHECK(BookAnchors(book).by_subject(root.subject_der()).empty());
}

TEST_CASE("an anchor has the trust settings of the file that it was trusted by last", "[cli]") {
    Shelf shelf;
    const auto with = [&](const std::string& option) {
        const test::Outcome made = test::run_process(
            {.arguments = {"openssl", "x509", "-trustout", option, "emailProtection"}, .input = shelf.pki.root_pem()});
        REQUIRE(made.status == 0);
        return cms::Certificate::from_file_bytes(bytes_of(made.out)).at(0);
    };
    const auto rejected = [&] {
        const std::vector<Anchor> anchors = AddressBook(shelf.path).anchors();
        REQUIRE(anchors.size() == 1);
        CHECK(anchors[0].added == kNow);
        return cms::trust_settings(anchors[0].certificate).rejected;
    };
    const auto root = cms::Certificate::from_file_bytes(bytes_of(shelf.pki.root_pem())).at(0);
    const std::vector<std::string> mail{"emailProtection"};
    CHECK(shelf.book.trust(with("-addreject"), kNow));
    CHECK_FALSE(shelf.book.trust(with("-addreject"), kNow));
    CHECK(rejected() == mail);
    CHECK(shelf.book.trust(root, kNow + std::chrono::hours(1)));
    CHECK(rejected().empty());
    CHECK(shelf.book.trust(with("-addtrust"), kNow));
    CHECK(cms::trust_settings(shelf.book.anchors().at(0).certificate).trusted == mail);
    CHECK(shelf.book.distrust(root.fingerprint_sha256()));
    CHECK(shelf.book.anchors().empty());
}

TEST_CASE("several processes write one address book at once", "[cli]") {
    Shelf shelf;
    constexpr int kProcesses = 4;
    constexpr int kEach = 5;
    std::vector<cms::Certificate> certificates;
    for (int i = 0; i < kProcesses * kEach; ++i)
        certificates.push_back(shelf.issue(fmt::format("Bob {}", i), fmt::format("bob{}@example.gov", i)));
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        const pid_t child = fork();
        if (child == 0) {
            try {
                AddressBook book(shelf.path);
                for (int i = 0; i < kEach; ++i)
                    book.put(certificates.at(static_cast<std::size_t>(process) * kEach + static_cast<std::size_t>(i)),
                             std::nullopt, "import", kNow);
            } catch (const Error&) {
                _exit(1);
            }
            _exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(shelf.book.all().size() == kProcesses * kEach);
}

TEST_CASE("two handles see each other's changes", "[cli]") {
    Shelf shelf;
    AddressBook other(shelf.path);
    const auto bob = shelf.issue("Bob", "bob@example.gov");
    shelf.book.put(bob, std::nullopt, "import", kNow);
    CHECK(other.all().size() == 1);
    other.remove(bob.fingerprint_sha256());
    CHECK(shelf.book.all().empty());
}

TEST_CASE("a file that is no address book is an input/output error naming it", "[cli]") {
    Shelf shelf;
    test::write_file(shelf.directory / "book", std::string(4096, 'x'));
    AddressBook book(shelf.directory / "book");
    CHECK_THROWS_WITH(book.all(), Catch::Contains(shelf.directory / "book"));
}
