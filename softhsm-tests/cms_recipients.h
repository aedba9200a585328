#pragma once

#include <catch2/catch.hpp>

#include "cms/key_management.h"
#include "softhsm-tests/support/cms_bench.h"

/// What the tests of recipients have in common.
namespace p11mime::test {

inline std::shared_ptr<const SecretBytes> secret(ByteView bytes) {
    return std::make_shared<const SecretBytes>(bytes);
}

/// given_kek and given_password are what a reader has at hand.
inline cms::GivenSecrets given_kek(cms::KeyEncryptionKey kek) {
    return {.kek = std::move(kek), .password = nullptr};
}
inline cms::GivenSecrets given_password(std::string_view password) {
    return {.kek = std::nullopt, .password = secret(bytes_of(password))};
}

/// peer_decrypt and peer_encrypt have `openssl cms` read a mail, and write kText in DER.
inline std::string peer_decrypt(const CmsBench& bench, const std::string& mail, const std::vector<std::string>& with) {
    std::vector<std::string> arguments{"cms", "-decrypt", "-binary", "-inform", "SMIME"};
    arguments.insert(arguments.end(), with.begin(), with.end());
    return bench.openssl(arguments, mail);
}
inline std::string peer_decrypt(const CmsBench& bench, const std::string& mail, const SoftwareKey& key) {
    return peer_decrypt(bench, mail, {"-recip", bench.certificate_file(key), "-inkey", bench.key_file(key)});
}
inline std::string peer_encrypt(const CmsBench& bench, const std::vector<std::string>& with) {
    std::vector<std::string> arguments{"cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc"};
    arguments.insert(arguments.end(), with.begin(), with.end());
    return bench.openssl(arguments, kText);
}

/// enveloped_with is a mail in DER whose RecipientInfos are what `change` makes of those for `to`.
template <class Change>
std::string enveloped_with(const std::vector<cms::Recipient>& to, Change change) {
    return enveloped(kText, "aes-256-gcm", [&](const SecretBytes& key) {
        std::vector<Bytes> infos = cms::make_recipient_infos(to, key);
        change(infos);
        return infos;
    });
}

}  // namespace p11mime::test
