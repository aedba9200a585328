// What RSA PKCS#1 v1.5 gave shows nowhere: whoever sends mails with ciphertexts of their own making to a recipient, and
// sees what the program makes of them, learns nothing of what these hold (Bleichenbacher; RFC 3218).

#include <openssl/rsa.h>

#include <catch2/catch.hpp>
#include <set>

#include "cms/key_management.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/spy.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr std::size_t kModulus = 256;
constexpr std::size_t kKeySize = 32;  // of AES-256

cms::Certificate certificate_of(const Identity& identity) {
    return cms::Certificate::from_der(bytes_of(identity.certificate_der()));
}

/// raw_rsa encrypts a block as it is.
Bytes raw_rsa(const cms::Certificate& to, ByteView block) {
    const KeyContext context(EVP_PKEY_CTX_new(X509_get0_pubkey(to.get()), nullptr));
    std::size_t size = block.size();
    Bytes encrypted(size);
    REQUIRE((EVP_PKEY_encrypt_init(context.get()) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1 &&
             EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, block.data(), block.size()) == 1));
    return encrypted;
}

/// padded is the block of block type 2 (RFC 8017 section 7.2.1) around a key of zeros.
Bytes padded(std::size_t key_size) {
    Bytes block(kModulus, 0x5a);
    block[0] = 0;
    block[1] = 2;
    std::fill(block.end() - static_cast<std::ptrdiff_t>(key_size + 1), block.end(), Byte{0});
    return block;
}

/// probes are the blocks that an attacker wants to tell from each other.
std::vector<Bytes> probes() {
    Bytes block_type_1 = padded(kKeySize), short_padding = padded(kKeySize), no_end(kModulus, 0x5a);
    block_type_1[1] = 1;
    short_padding[5] = 0;
    no_end[0] = 0;
    no_end[1] = 2;
    return {padded(kKeySize), padded(kKeySize - 8), padded(0), block_type_1, short_padding, no_end};
}

Bytes info_of(const cms::Recipient& to, const SecretBytes& key) {
    return cms::make_recipient_infos({to}, key).at(0);
}

/// probe_info is a KeyTransRecipientInfo that holds a block.
Bytes probe_info(const cms::Certificate& to, ByteView block) {
    Bytes info = info_of({to, cms::RsaPkcs1Transport{}}, SecretBytes(kKeySize));
    const Bytes encrypted = raw_rsa(to, block);
    std::copy(encrypted.begin(), encrypted.end(), info.end() - static_cast<std::ptrdiff_t>(kModulus));
    return info;
}

/// watched runs the program on the desk's token with pkcs11-spy in between and tells all that it shows.
std::string watched(const Office& office, const std::string& message) {
    const std::string output = office.desk.path("out.eml"), report = office.desk.path("report.json");
    std::filesystem::remove(output);
    const auto [outcome, log] = spied_p11mime(
        office.desk, {"decrypt", "--pin-source", "env:DESK_PIN", "-o", output, "--json", report}, message);
    std::string shown = "exit " + std::to_string(outcome.status) + "\n" + outcome.out + outcome.err + read_file(report);
    shown += std::filesystem::exists(output) ? "output " + read_file(output) : "no output";
    shown += "\nC_Decrypt " + std::to_string(log.calls("C_Decrypt"));
    for (const std::string& call : log.sequence())
        shown += "\n" + call;
    return shown;
}

}  // namespace

TEST_CASE("what RSA PKCS#1 v1.5 gave on a token shows nowhere in what the program says and does", "[e2e]") {
    Office office;
    const cms::Certificate bob = certificate_of(office.employ({.name = "Bob"}));
    const cms::Certificate carol = certificate_of(office.employ({.name = "Carol"}));
    const auto [cipher, mechanisms] = GENERATE(
        table<std::string, std::string>({{"aes-256-cbc", "-CKM_RSA_X_509"}, {"aes-256-gcm", "CKM_RSA_X_509"}}));
    CAPTURE(cipher, mechanisms);
    office.desk.restrict(mechanisms);

    const auto shown = [&, cipher = cipher](std::optional<cms::Recipient> good, bool probe_first) {
        std::set<std::string> all;
        for (const Bytes& block : probes()) {
            const Bytes probe = probe_info(bob, block);
            all.insert(
                watched(office, enveloped(kText, cipher, [&](const SecretBytes& key) {
                            if (!good) return std::vector<Bytes>{probe};
                            const Bytes opens = info_of(*good, key);
                            return probe_first ? std::vector<Bytes>{probe, opens} : std::vector<Bytes>{opens, probe};
                        })));
        }
        CHECK(all.size() == 1);
        return *all.begin();
    };
    const auto fails = [&](std::optional<cms::Recipient> good, bool probe_first) {
        CHECK_THAT(shown(std::move(good), probe_first),
                   Catch::StartsWith("exit 1\n") && Catch::Contains("does not decrypt") &&
                       Catch::Contains("no output") && Catch::Contains("C_Decrypt 1"));
    };
    const auto opens = [&](std::optional<cms::Recipient> good, bool probe_first) {
        CHECK_THAT(shown(std::move(good), probe_first),
                   Catch::StartsWith("exit 0\n") && Catch::Contains("K=C3=B6ln") && Catch::Contains("C_Decrypt 1"));
    };
    const cms::Recipient v15(bob, cms::RsaPkcs1Transport{}), others(carol, cms::RsaPkcs1Transport{}),
        oaep(bob, cms::RsaOaep{cms::Hash::sha1, cms::Hash::sha1, {}});
    fails(std::nullopt, true);
    fails(v15, true);
    opens(v15, false);
    opens(oaep, true);
    opens(oaep, false);
    for (const bool probe_first : {true, false})
        CHECK_THAT(shown(others, probe_first), Catch::Contains("C_Decrypt 1"));  // of whichever key comes first
}
