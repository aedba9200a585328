#pragma once

#include "softhsm-tests/cms_revocation.h"

namespace p11mime::test {

/// AuthorityBench is Alice, whose certificate an intermediate authority has issued that the user has.
struct AuthorityBench {
    RevocationBench bench;
    SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    cms::Certificate alice = certify({}, &authority).certificate;
    cms::RevocationEvidence carried;

    AuthorityBench() {
        bench.trust.intermediates = {std::make_shared<cms::MemoryCertificates>(std::vector{authority.certificate})};
        bench.add_crl({});
    }
    cms::PathVerdict judge() const {
        return cms::validate(alice, bench.surplus, bench.trust, cms::Use::signing, {}, carried);
    }
    CrlSpec lists_alice() const { return {.entries = {{.certificate = alice, .reason = "keyCompromise"}}}; }
    /// listed_elsewhere is a certificate whose revocation another authority, "Lister", tells of in its indirect CRL.
    cms::Certificate listed_elsewhere() const {
        return certify({.more_extensions = "crlDistributionPoints=point\n",
                        .sections = "[point]\nfullname=URI:http://crl.example/i\nCRLissuer=dirName:lister\n"
                                    "[lister]\nO=Example\nCN=Lister\n"},
                       &authority)
            .certificate;
    }
    static CrlSpec indirect() {
        return {.extensions = "issuingDistributionPoint=critical,@idp\n",
                .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"};
    }
    static CertificateSpec responder_spec() {
        CertificateSpec spec{
            .name = "Responder", .key_usage = "critical,digitalSignature", .extended_key_usage = "OCSPSigning"};
        spec.more_extensions = "noCheck=ignored\n";
        return spec;
    }
};

}  // namespace p11mime::test
