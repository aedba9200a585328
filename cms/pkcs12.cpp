#include "cms/pkcs12.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <algorithm>

#include "cms/legacy_provider.h"
#include "cms/openssl_error.h"

namespace p11mime::cms {

namespace {

using FileHandle = Handle<PKCS12, PKCS12_free>;
using Pkcs8Handle = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using ProviderHandle = Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload>;

void free_contents(STACK_OF(PKCS7) * contents) {
    sk_PKCS7_pop_free(contents, PKCS7_free);
}
void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
void free_text(char* text) {
    OPENSSL_free(text);
}
using Text = Handle<char, free_text>;
using Contents = Handle<STACK_OF(PKCS7), free_contents>;
using Bags = Handle<STACK_OF(PKCS12_SAFEBAG), free_bags>;

constexpr int kMostBags = 1000;
constexpr int kDeepest = 4;                   // of safes within safes
constexpr long kMostIterations = 20'000'000;  // of all key derivations; programs write some thousands each

// Spelling is a password as OpenSSL takes it; without one there are two ways to say so.
struct Spelling {
    const char* text;
    int size;
};

FileHandle parse(ByteView der, OSSL_LIB_CTX* library) {
    PKCS12* file = PKCS12_init_ex(NID_pkcs7_data, library, nullptr);
    const Byte* at = der.data();
    if (file != nullptr) d2i_PKCS12(&file, &at, static_cast<long>(der.size()));  // frees it where it fails
    return FileHandle(file);
}

// Iterations adds up what the key derivations of a file ask for.
class Iterations {
  public:
    void add(const ASN1_INTEGER* number) {
        const long count = number == nullptr ? 1 : ASN1_INTEGER_get(number);
        if (count < 0 || count > kMostIterations - total_)
            throw Error(ErrorKind::malformed,
                        fmt::format("the PKCS#12 file asks for more than {} iterations", kMostIterations));
        total_ += count;
    }
    void add(const X509_ALGOR* encryption);

  private:
    long total_ = 0;
};

const ASN1_STRING* parameters_of(const X509_ALGOR* algorithm) {
    int type = 0;
    const void* value = nullptr;
    X509_ALGOR_get0(nullptr, &type, &value, algorithm);
    return type == V_ASN1_SEQUENCE ? static_cast<const ASN1_STRING*>(value) : nullptr;
}

template <class T, auto Free>
Handle<T, Free> decoded(const ASN1_STRING* der, T* (*d2i)(T**, const Byte**, long)) {
    if (der == nullptr) return nullptr;
    const Byte* at = ASN1_STRING_get0_data(der);
    return Handle<T, Free>(d2i(nullptr, &at, ASN1_STRING_length(der)));
}

void Iterations::add(const X509_ALGOR* encryption) {
    const ASN1_STRING* parameters = parameters_of(encryption);
    if (OBJ_obj2nid(encryption->algorithm) != NID_pbes2) {
        const auto old = decoded<PBEPARAM, PBEPARAM_free>(parameters, d2i_PBEPARAM);
        if (old) add(old->iter);
        return;
    }
    const auto scheme = decoded<PBE2PARAM, PBE2PARAM_free>(parameters, d2i_PBE2PARAM);
    if (!scheme || OBJ_obj2nid(scheme->keyfunc->algorithm) != NID_id_pbkdf2) return;
    const auto derivation = decoded<PBKDF2PARAM, PBKDF2PARAM_free>(parameters_of(scheme->keyfunc), d2i_PBKDF2PARAM);
    if (derivation) add(derivation->iter);
}

enum class MacState { absent, right, wrong };

MacState mac_state(PKCS12* file, const Spelling& password, Iterations& iterations) {
    if (PKCS12_mac_present(file) != 1) return MacState::absent;
    const ASN1_INTEGER* count = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &count, file);
    iterations.add(count);
    ERR_clear_error();
    if (PKCS12_verify_mac(file, password.text, password.size) == 1) return MacState::right;
    require(ERR_peek_error() == 0, "the MAC of the PKCS#12 file cannot be checked");
    return MacState::wrong;
}

// Undecipherable is content that this password or this OpenSSL does not decrypt.
struct Undecipherable {
    std::string algorithm;
};

[[noreturn]] void undecipherable(const X509_ALGOR* encryption) {
    throw Undecipherable{OBJ_nid2ln(OBJ_obj2nid(encryption->algorithm))};
}

// Reading is one attempt at a file.
class Reading {
  public:
    Reading(Spelling password, OSSL_LIB_CTX* library, Iterations iterations)
        : password_(password), library_(library), iterations_(iterations) {}
    Pkcs12 run(const PKCS12* file);

  private:
    void read_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth);
    void read_bag(PKCS12_SAFEBAG* bag, int depth);
    void add_key(PKCS12_SAFEBAG* bag, const PKCS8_PRIV_KEY_INFO* info);
    void sort();

    Spelling password_;
    OSSL_LIB_CTX* library_;
    Iterations iterations_;
    int bags_ = 0;
    std::vector<Certificate> certificates_;
    Pkcs12 result_;
};

Pkcs12 Reading::run(const PKCS12* file) {
    const Contents contents(PKCS12_unpack_authsafes(file));
    require(contents != nullptr, "malformed PKCS#12 file");
    for (int i = 0; i < sk_PKCS7_num(contents.get()); ++i) {
        PKCS7* content = sk_PKCS7_value(contents.get(), i);
        Bags bags;
        if (PKCS7_type_is_data(content)) {
            bags.reset(PKCS12_unpack_p7data(content));
            require(bags != nullptr, "malformed PKCS#12 file");
        } else if (PKCS7_type_is_encrypted(content)) {
            const X509_ALGOR* encryption = content->d.encrypted->enc_data->algorithm;
            iterations_.add(encryption);
            bags.reset(PKCS12_unpack_p7encdata(content, password_.text, password_.size));
            if (!bags) undecipherable(encryption);
        } else {
            throw Error(ErrorKind::malformed, "the PKCS#12 file is encrypted with a public key, not a password");
        }
        read_bags(bags.get(), 0);
    }
    sort();
    return std::move(result_);
}

void Reading::read_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
        if (++bags_ > kMostBags || depth > kDeepest)
            throw Error(ErrorKind::malformed, "the PKCS#12 file holds more than any export does");
        read_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth);
    }
}

void Reading::read_bag(PKCS12_SAFEBAG* bag, int depth) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag:
            return add_key(bag, PKCS12_SAFEBAG_get0_p8inf(bag));
        case NID_pkcs8ShroudedKeyBag: {
            const X509_ALGOR* encryption = nullptr;
            X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &encryption, nullptr);
            iterations_.add(encryption);
            const Pkcs8Handle info(PKCS12_decrypt_skey_ex(bag, password_.text, password_.size, library_, nullptr));
            if (!info) undecipherable(encryption);
            return add_key(bag, info.get());
        }
        case NID_certBag:
            if (X509Handle x509{PKCS12_SAFEBAG_get1_cert(bag)}) certificates_.emplace_back(std::move(x509));
            return;
        case NID_safeContentsBag:
            return read_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
        default:
            return;  // CRLs and secrets are not asked for
    }
}

void Reading::add_key(PKCS12_SAFEBAG* bag, const PKCS8_PRIV_KEY_INFO* info) {
    KeyHandle key(EVP_PKCS82PKEY(info));
    require(key != nullptr, "a private key of the PKCS#12 file cannot be read");
    const Text name(PKCS12_get_friendlyname(bag));
    const bool known = std::any_of(result_.keys.begin(), result_.keys.end(), [&](const ExportedKey& other) {
        return EVP_PKEY_eq(other.key.get(), key.get()) == 1;
    });
    if (!known) result_.keys.push_back({std::move(key), name ? name.get() : "", {}});
}

// sort gives each certificate to its key.
void Reading::sort() {
    for (const Certificate& certificate : certificates_) {
        const KeyHandle public_key = certificate.public_key();
        const auto owner = std::find_if(result_.keys.begin(), result_.keys.end(), [&](const ExportedKey& one) {
            return EVP_PKEY_eq(one.key.get(), public_key.get()) == 1;
        });
        auto& list = owner == result_.keys.end() ? result_.others : owner->certificates;
        if (std::find(list.begin(), list.end(), certificate) == list.end()) list.push_back(certificate);
    }
    for (ExportedKey& one : result_.keys)
        std::stable_sort(one.certificates.begin(), one.certificates.end(),
                         [](const Certificate& a, const Certificate& b) { return a.not_before() > b.not_before(); });
    ERR_clear_error();
}

// LegacyLibrary is OpenSSL with its legacy algorithms beside the others.
struct LegacyLibrary {
    explicit LegacyLibrary(std::string_view algorithm)
        : legacy(algorithm), others(OSSL_PROVIDER_load(legacy.context(), "default")) {
        require(others != nullptr, "OpenSSL's default provider cannot be loaded", ErrorKind::io);
    }
    LegacyProvider legacy;
    ProviderHandle others;
};

}  // namespace

Pkcs12File Pkcs12File::from_bytes(SecretBytes bytes) {
    const FileHandle file = parse(bytes, nullptr);
    ERR_clear_error();
    if (!file) throw Error(ErrorKind::malformed, "no PKCS#12 file");
    return Pkcs12File(std::move(bytes));
}

std::optional<Pkcs12> Pkcs12File::open(const SecretBytes& password) const {
    const auto* text = reinterpret_cast<const char*>(password.data());
    std::vector<Spelling> spellings{{text, static_cast<int>(password.size())}};
    if (password.empty()) spellings = {{nullptr, 0}, {"", 0}};
    const FileHandle file = parse(der_, nullptr);
    for (const Spelling& spelling : spellings) {
        Iterations iterations;
        const MacState mac = mac_state(file.get(), spelling, iterations);
        if (mac == MacState::wrong) continue;
        try {
            return Reading(spelling, nullptr, iterations).run(file.get());
        } catch (const Undecipherable& content) {
            ERR_clear_error();
            const LegacyLibrary library(content.algorithm);
            const FileHandle again = parse(der_, library.legacy.context());
            try {
                return Reading(spelling, library.legacy.context(), iterations).run(again.get());
            } catch (const Undecipherable& still) {
                if (mac == MacState::absent) continue;  // nothing else tells a wrong password
                throw Error(ErrorKind::malformed, fmt::format("the PKCS#12 file cannot be decrypted: {}, {}",
                                                              still.algorithm, openssl_reason()));
            }
        }
    }
    return std::nullopt;
}

}  // namespace p11mime::cms
