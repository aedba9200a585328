#include "cms/rsa_hash.h"

#include "cms/asn1.h"
#include "cms/der.h"

namespace p11mime::cms {

Bytes rsa_hash_identifier(Hash hash) {
    const Algorithm& row = digest_algorithm(hash);
    return der_algorithm(row.oid, row.sha3 ? ByteView() : kNull);
}

Bytes mgf1_identifier(Hash hash) {
    return der_algorithm(algorithm_named(AlgorithmKind::mask_generation, "mgf1")->oid, rsa_hash_identifier(hash));
}

Hash read_rsa_hash(const X509_ALGOR* algorithm) {
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm);
    if (row == nullptr || !row->hash || row->output != 0) throw unsupported(algorithm);
    return *row->hash;
}

Hash read_mgf1(const X509_ALGOR* mask) {
    if (find_algorithm(AlgorithmKind::mask_generation, mask) == nullptr) throw unsupported(mask);
    return read_rsa_hash(asn1::algorithm_parameter(mask, "malformed MGF1 parameters").get());
}

}  // namespace p11mime::cms
