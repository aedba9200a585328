// How many commands (APDUs) the card gets: on a real card each takes its time.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <iostream>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

constexpr unsigned long kSignatureAlone =
    5;  // of RSA-2048 in 9A: the key's use in two parts, its answer in two, one more

/// Counted counts what a card gets from programs, each with the card as it is when it was just inserted.
struct Counted {
    explicit Counted(CardOffice& its_office) : office(its_office) {}

    unsigned long run(const Arguments& arguments) {
        office.insert_afresh();
        const unsigned long before = office.card().commands();
        done(office.desk.run(arguments));
        return office.card().commands() - before;
    }
    unsigned long p11mime(const Arguments& arguments) { return run(office.desk.p11mime_command(arguments).arguments); }
    /// binding is what the module needs before it says what is on the card.
    unsigned long binding() { return run({"pkcs11-tool", "--module", office.desk.module, "--list-token-slots"}); }
    unsigned long pkcs11_tool() {
        return run({"pkcs11-tool", "--module", office.desk.module, "--login", "--pin", std::string(kUserPin), "--sign",
                    "--mechanism", "SHA256-RSA-PKCS", "--id", "01", "--input-file", office.desk.file("data", "data"),
                    "--output-file", office.desk.path("signature")});
    }

    CardOffice& office;
};

/// retire puts as many retired keys on the card, each with a certificate of Alice's that ended long ago.
void retire(CardOffice& office, int count) {
    for (int i = 0; i < count; ++i)
        office.card().put(fmt::format("{:02x}", 0x82 + i), office.pki.issue({.name = "Alice",
                                                                             .kind = KeyKind::p256,
                                                                             .key_usage = "keyAgreement",
                                                                             .begins_in_days = -800 - i,
                                                                             .ends_in_days = -400 - i}));
}

}  // namespace

TEST_CASE("a signature gives the PIV card no more commands than pkcs11-tool does", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    Counted counted(office);
    const unsigned long peer = counted.pkcs11_tool();
    for (const Arguments& choice : {Arguments{}, Arguments{"--key", "pkcs11:id=%01"}}) {
        const unsigned long own = counted.p11mime(Arguments{"sign"} + choice + Arguments{text});
        std::cout << "APDUs: pkcs11-tool --sign " << peer << ", p11mime sign "
                  << fmt::format("{}", fmt::join(choice, " ")) << " " << own << '\n';
        CHECK(own <= peer);
    }
}

TEST_CASE("each further mail of a batch gives the PIV card only its own signature's commands", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    Arguments one{"sign", "--digest", "sha256", "-d", office.desk.path("out")}, many = one;
    std::filesystem::create_directory(office.desk.path("out"));
    constexpr unsigned long kFurther = 6;
    one.push_back(office.desk.file("first.eml", mail(alice.email, "bob@example.org")));
    many.push_back(one.back());
    for (unsigned long i = 0; i < kFurther; ++i)
        many.push_back(office.desk.file(fmt::format("further{}.eml", i), mail(alice.email, "bob@example.org")));
    Counted counted(office);
    const unsigned long alone = counted.p11mime(one);
    std::filesystem::remove_all(office.desk.path("out"));
    std::filesystem::create_directory(office.desk.path("out"));
    const unsigned long batch = counted.p11mime(many);
    std::cout << "APDUs: one mail " << alone << ", " << kFurther << " more " << batch - alone << '\n';
    CHECK(batch - alone <= kFurther * kSignatureAlone);
    for (const auto& file : std::filesystem::directory_iterator(office.desk.path("out")))
        CHECK(office.openssl_verifies(read_file(file.path())));
}

// OpenSC reads all certificates when it binds the card, unless its configuration has it keep them.
TEST_CASE("retired certificates that are not needed give the PIV card no more commands", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const Arguments sign{"sign", "--key", "pkcs11:id=%01",
                         office.desk.file("text.eml", mail(alice.email, "bob@example.org"))};
    const Arguments decrypt{"decrypt", office.desk.file("sealed.eml", office.encrypted(alice))};
    Counted counted(office);
    const auto beyond_binding = [&](const Arguments& arguments) {
        const unsigned long all = counted.p11mime(arguments);
        const unsigned long binding = counted.binding();
        std::cout << "APDUs: " << arguments.front() << " " << all << ", of these the module's binding " << binding
                  << '\n';
        return all - binding;
    };
    const unsigned long alone = beyond_binding(sign), alone_decrypting = beyond_binding(decrypt);
    retire(office, 20);
    CHECK(beyond_binding(sign) == alone);
    CHECK(beyond_binding(decrypt) == alone_decrypting);
    CHECK(counted.p11mime(sign) <= counted.pkcs11_tool());
}

TEST_CASE("where OpenSC keeps what it has read, 20 retired certificates cost no more than one", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    office.desk.file("opensc.conf", "app default { framework pkcs15 { use_file_caching = yes; } }\n");
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const Arguments sign{"sign", office.desk.file("text.eml", mail(alice.email, "bob@example.org"))};
    Counted counted(office);
    retire(office, 1);
    const unsigned long first = counted.p11mime(sign);
    const unsigned long with_one = counted.p11mime(sign);
    retire(office, 20);
    office.card().set_serial("77");
    counted.p11mime(sign);
    CHECK(counted.p11mime(sign) == with_one);
    CHECK(with_one < first);
}
