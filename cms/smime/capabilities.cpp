#include "cms/smime/capabilities.h"

#include <openssl/err.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/key_wrap.h"
#include "cms/rsa_oaep.h"

namespace p11mime::cms::smime {

namespace {

void free_algorithms(X509_ALGORS* stack) {
    sk_X509_ALGOR_pop_free(stack, X509_ALGOR_free);
}
using AlgorithmsHandle = Handle<X509_ALGORS, free_algorithms>;

void add_oaep(Capabilities& capabilities, const X509_ALGOR* announced) {
    const Algorithm* row = find_algorithm(AlgorithmKind::key_transport, announced);
    if (row == nullptr || row->name != "rsa-oaep" || capabilities.oaep) return;
    capabilities.oaep = read_oaep_parameters(asn1::sequence_parameters(announced));
}

void add_agreement(Capabilities& capabilities, const X509_ALGOR* announced) {
    const Algorithm* scheme = find_algorithm(AlgorithmKind::key_agreement, announced);
    if (scheme == nullptr) return;
    const auto identifier = asn1::algorithm_parameter(announced, "malformed key wrap algorithm");
    const Algorithm* wrap = find_algorithm(AlgorithmKind::key_wrap, identifier.get());
    if (wrap != nullptr) capabilities.agreements.push_back({scheme, wrap});
}

Bytes agreements() {
    Bytes list;
    for (const bool hkdf : {false, true})
        for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512})
            for (const std::size_t wrap_size : {32, 16})
                list = concat({list, der_algorithm(key_agreement_algorithm(hash, false, hkdf)->oid,
                                                   der_algorithm(aes_wrap(wrap_size).oid))});
    return list;
}

}  // namespace

std::vector<const Algorithm*> content_ciphers() {
    std::vector<const Algorithm*> ciphers;
    for (const Algorithm& row : algorithm_table())
        if (row.kind == AlgorithmKind::content_cipher && row.standing == Standing::ok) ciphers.push_back(&row);
    std::stable_sort(ciphers.begin(), ciphers.end(), [](const Algorithm* a, const Algorithm* b) {
        return std::pair(a->authenticated, a->key_size) > std::pair(b->authenticated, b->key_size);
    });
    return ciphers;
}

const Algorithm* content_cipher(std::string_view name) {
    const Algorithm* row = algorithm_named(AlgorithmKind::content_cipher, name);
    return row != nullptr && row->standing == Standing::ok ? row : nullptr;
}

const Algorithm* default_cipher() {
    return content_cipher("aes-256-cbc");
}

Capabilities parse_capabilities(ByteView der) {
    const Byte* at = der.data();
    const AlgorithmsHandle list(d2i_X509_ALGORS(nullptr, &at, static_cast<long>(der.size())));
    Capabilities capabilities;
    for (int i = 0; list && i < sk_X509_ALGOR_num(list.get()); ++i) {
        const X509_ALGOR* each = sk_X509_ALGOR_value(list.get(), i);
        const Algorithm* cipher = find_algorithm(AlgorithmKind::content_cipher, each);
        if (cipher != nullptr && cipher->standing == Standing::ok) capabilities.ciphers.push_back(cipher);
        try {
            add_oaep(capabilities, each);
            add_agreement(capabilities, each);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::malformed) throw;  // not written, or parameters that it does not have
        }
    }
    ERR_clear_error();
    return capabilities;
}

// Encoded once, since each mail of many announces the same.
Bytes own_capabilities(const Abilities& key) {
    static const Bytes ciphers = [] {
        Bytes list;
        for (const Algorithm* cipher : content_ciphers())
            list = concat({list, der_algorithm(cipher->oid)});
        return list;
    }();
    static const Bytes oaep = oaep_algorithm(kOaep);
    static const Bytes agreement = agreements();
    static const Bytes compression = der_algorithm(algorithm_named(AlgorithmKind::compression, "zlib")->oid);
    return der_value(tag::kSequence, {ciphers, key.oaep ? ByteView(oaep) : ByteView(),
                                      key.agreement ? ByteView(agreement) : ByteView(), compression});
}

}  // namespace p11mime::cms::smime
