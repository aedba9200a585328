import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.CMSAuthenticatedData;
import org.bouncycastle.cms.CMSAuthenticatedDataGenerator;
import org.bouncycastle.cms.CMSCompressedData;
import org.bouncycastle.cms.CMSCompressedDataGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.jcajce.JceCMSMacCalculatorBuilder;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.MacCalculator;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Structures are the further content types, by Bouncy Castle. */
final class Structures {
    private Structures() {}

    static byte[] compress(byte[] content) throws Exception {
        return new CMSCompressedDataGenerator()
                .generate(new CMSProcessableByteArray(content), new ZlibCompressor())
                .getEncoded();
    }

    static byte[] expand(byte[] structure) throws CMSException {
        return new CMSCompressedData(structure).getContent(new ZlibExpanderProvider());
    }

    /**
     * authenticate makes AuthenticatedData with the MAC of an OID, and a key of its usual size or of as many bits as are
     * asked for; with authenticated attributes where asked for.
     */
    static byte[] authenticate(Job job) throws Exception {
        CMSProcessableByteArray content = new CMSProcessableByteArray(job.file("content"));
        ASN1ObjectIdentifier oid = new ASN1ObjectIdentifier(job.text("mac"));
        JceCMSMacCalculatorBuilder builder = job.has("bits") ? new JceCMSMacCalculatorBuilder(oid, job.number("bits"))
                                                             : new JceCMSMacCalculatorBuilder(oid);
        MacCalculator mac = builder.setProvider("BC").build();
        CMSAuthenticatedDataGenerator generator = new CMSAuthenticatedDataGenerator();
        generator.addRecipientInfoGenerator(Management.generator(job));
        CMSAuthenticatedData data = job.has("attributes") ? generator.generate(content, mac, sha256())
                                                          : generator.generate(content, mac);
        return data.getEncoded();
    }

    private static DigestCalculator sha256() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().setProvider("BC").build().get(
                new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256));
    }
}
