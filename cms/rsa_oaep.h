#pragma once

#include "cms/decrypter.h"

namespace p11mime::cms {

/// oaep_algorithm is the AlgorithmIdentifier of RSAES-OAEP (RFC 4055 section 4.1) in DER: defaults left out.
Bytes oaep_algorithm(const RsaOaep& oaep);

/// read_oaep_parameters reads the parameters of such an AlgorithmIdentifier: a DER SEQUENCE, or nothing for the
/// defaults. Throws Error(malformed), also "unsupported algorithm NAME".
RsaOaep read_oaep_parameters(ByteView der);

/// set_oaep_padding makes an EVP_PKEY_CTX that encrypts or decrypts do so; false where OpenSSL refuses.
bool set_oaep_padding(EVP_PKEY_CTX* context, const RsaOaep& oaep);

}  // namespace p11mime::cms
