#include "cms/digests.h"

#include "cms/encode.h"

namespace p11mime::cms {

Digests::Digests(const std::set<Hash>& hashes) {
    for (Hash hash : hashes) {
        DigestContext context(EVP_MD_CTX_new());
        require(context && EVP_DigestInit_ex2(context.get(), evp_digest(hash), nullptr) == 1, "cannot digest");
        contexts_.of.emplace(hash, std::move(context));
    }
}

void Digests::Contexts::push(ByteView bytes) {
    for (const auto& [hash, context] : of)
        require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1, "cannot digest");
}

std::optional<Bytes> Digests::value(Hash hash) const {
    concurrent_.wait();
    const auto found = contexts_.of.find(hash);
    if (found == contexts_.of.end()) return std::nullopt;
    const DigestContext copy(EVP_MD_CTX_new());
    Bytes value(hash_size(hash));
    require(EVP_MD_CTX_copy_ex(copy.get(), found->second.get()) == 1, "cannot digest");
    const bool done = digest_algorithm(hash).output != 0
                          ? EVP_DigestFinalXOF(copy.get(), value.data(), value.size()) == 1
                          : EVP_DigestFinal_ex(copy.get(), value.data(), nullptr) == 1;
    require(done, "cannot digest");
    return value;
}

std::vector<Bytes> Digests::values() const {
    std::vector<Bytes> all;
    for (const auto& [hash, context] : contexts_.of)
        all.push_back(*value(hash));
    return all;
}

Bytes digest_of(Hash hash, ByteView bytes) {
    Digests digests({hash});
    digests.push(bytes);
    return *digests.value(hash);
}

}  // namespace p11mime::cms
