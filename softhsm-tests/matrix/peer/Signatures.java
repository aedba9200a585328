import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Signatures are SignedData by Bouncy Castle. */
final class Signatures {
    private Signatures() {}

    /** sign takes the algorithm as the JCA names it; "detached" leaves the content out. */
    static byte[] sign(Job job) throws Exception {
        X509Certificate certificate = job.certificate();
        PrivateKey key = job.privateKey(certificate.getPublicKey().getAlgorithm(), "BC");
        ContentSigner signer = new JcaContentSignerBuilder(job.text("algorithm")).setProvider("BC").build(key);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(
                new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                        .build(signer, certificate));
        generator.addCertificates(new JcaCertStore(List.of(certificate)));
        boolean encapsulate = !job.has("detached");
        return generator.generate(new CMSProcessableByteArray(job.file("content")), encapsulate).getEncoded("DER");
    }

    /** verify fails unless there is one signer, whose signature is good, over the content expected. */
    static void verify(Job job) throws Exception {
        ContentInfo structure = ContentInfo.getInstance(job.file("in"));
        CMSSignedData message = job.has("detached")
                ? new CMSSignedData(new CMSProcessableByteArray(job.file("content")), structure)
                : new CMSSignedData(structure);
        if (message.getSignerInfos().size() != 1) throw new IllegalStateException("not one signer");
        SignerInformation signer = message.getSignerInfos().iterator().next();
        @SuppressWarnings("unchecked")
        X509CertificateHolder certificate =
                (X509CertificateHolder) message.getCertificates().getMatches(signer.getSID()).iterator().next();
        if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate)))
            throw new IllegalStateException("the signature is not good");
        if (!job.has("detached")) job.expect((byte[]) message.getSignedContent().getContent());
    }
}
