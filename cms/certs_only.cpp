#include "cms/certs_only.h"

#include "cms/identifiers.h"

namespace p11mime::cms {

Bytes certs_only(std::span<const Certificate> certificates) {
    std::vector<Bytes> all;
    for (const Certificate& each : certificates)
        all.push_back(each.der());
    const Bytes nobody = der_value(tag::kSet, ByteView{});
    const Bytes signed_data =
        der_value(tag::kSequence, {der_integer(1), nobody, der_value(tag::kSequence, der_oid(oid::kData)),
                                   der_set_of(tag::context(0, true), std::move(all)), nobody});
    return der_value(tag::kSequence, {der_oid(oid::kSignedData), der_value(tag::context(0, true), signed_data)});
}

}  // namespace p11mime::cms
