"""What may stay in a stored film: every tag that does is named here, with what its content must be.

Everything else goes, at any depth. A tag stays only with the value representation of the DICOM dictionary
and only with a content of its kind: numbers that are numbers, code strings that are defined terms, a few
texts that are searched for the patient (``words``). UIDs are replaced, dates are moved.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.tag import BaseTag


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STUDY_IDENTIFIERS = (
    "ClinicalTrialProtocolID",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)
SHIFTED_DATES = (
    "AcquisitionDate",
    "AcquisitionDateTime",
    "StudyDate",
    "SeriesDate",
    "ContentDate",
    "FrameAcquisitionDateTime",
    "FrameReferenceDateTime",
)
EMPTY_NOT_GONE = (  # type 2: must be there, may be empty
    "PatientName",
    "PatientSex",
    "PatientBirthDate",
    "StudyTime",
    "ContentTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
# free text that is needed: what a device is called, and codes
TEXTS = _words("""
    Manufacturer ManufacturerModelName CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning
    """)
# numbers that the picture cannot be read without, or its geometry
OF_THE_PICTURE = _words("""
    SamplesPerPixel PlanarConfiguration NumberOfFrames Rows Columns BitsAllocated BitsStored HighBit
    PixelRepresentation SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue
    PixelPaddingRangeLimit PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing PixelAspectRatio
    WindowCenter WindowWidth RescaleIntercept RescaleSlope LUTDescriptor LossyImageCompressionRatio
    RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor PixelIntensityRelationshipSign FrameIncrementPointer
    """)
NUMBERS = OF_THE_PICTURE | _words("""
    KVP Exposure ExposureTime ExposureInuAs ExposureInmAs ExposureTimeInuS ExposureTimeInms XRayTubeCurrent
    XRayTubeCurrentInuA XRayTubeCurrentInmA DistanceSourceToDetector DistanceSourceToPatient
    DistanceSourceToEntrance DistanceObjectToTableTop EstimatedRadiographicMagnificationFactor FocalSpots
    AveragePulseWidth ImageAndFluoroscopyAreaDoseProduct EntranceDose EntranceDoseInmGy
    HalfValueLayer BodyPartThickness CompressionForce RelativeXRayExposure ExposureIndex TargetExposureIndex
    DeviationIndex Sensitivity GridPitch GridAspectRatio GridFocalDistance GridThickness GridPeriod
    FilterThicknessMinimum FilterThicknessMaximum DetectorTemperature DetectorBinning DetectorElementSize
    DetectorElementPhysicalSize DetectorElementSpacing DetectorActiveDimensions DetectorActiveOrigin
    FieldOfViewDimensions FieldOfViewOrigin FieldOfViewRotation CollimatorLeftVerticalEdge
    CollimatorRightVerticalEdge CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge
    CenterOfCircularCollimator RadiusOfCircularCollimator VerticesOfThePolygonalCollimator
    ShutterLeftVerticalEdge ShutterRightVerticalEdge ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge
    CenterOfCircularShutter RadiusOfCircularShutter VerticesOfThePolygonalShutter ShutterPresentationValue
    PositionerPrimaryAngle PositionerSecondaryAngle DetectorPrimaryAngle DetectorSecondaryAngle
    ColumnAngulation TableHeight TableTraverse TableAngle TableSpeed TableFeedPerRotation
    SliceThickness SpacingBetweenSlices SliceLocation ImagePositionPatient ImageOrientationPatient
    GantryDetectorTilt ReconstructionDiameter DataCollectionDiameter SingleCollimationWidth
    TotalCollimationWidth SpiralPitchFactor CTDIvol RevolutionTime ReconstructionPixelSpacing
    ReconstructionFieldOfView ReconstructionTargetCenterPatient DataCollectionCenterPatient
    RepetitionTime EchoTime EffectiveEchoTime InversionTime InversionTimes FlipAngle EchoTrainLength
    RFEchoTrainLength GradientEchoTrainLength EchoNumbers NumberOfAverages ImagingFrequency
    MagneticFieldStrength PixelBandwidth PercentSampling PercentPhaseFieldOfView NumberOfPhaseEncodingSteps
    AcquisitionMatrix SAR dBdt DiffusionBValue TriggerTime NominalInterval HeartRate CardiacNumberOfImages
    TemporalPositionIdentifier NumberOfTemporalPositions TemporalResolution TemporalPositionIndex
    TemporalPositionTimeOffset AcquisitionDuration MRAcquisitionFrequencyEncodingSteps
    MRAcquisitionPhaseEncodingStepsInPlane ParallelReductionFactorInPlane SpecificAbsorptionRateValue
    FrameTime FrameTimeVector FrameDelay ActualFrameDuration FrameAcquisitionDuration CineRate
    RecommendedDisplayFrameRate StartTrim StopTrim NumberOfStages StageNumber NumberOfViewsInStage ViewNumber
    SeriesNumber AcquisitionNumber InstanceNumber ImagesInAcquisition NumberOfSeriesRelatedInstances
    InStackPositionNumber DimensionIndexValues DimensionIndexPointer FunctionalGroupPointer
    FrameAcquisitionNumber ReferencedFrameNumber ReferencedSegmentNumber
    PhysicalDeltaX PhysicalDeltaY PhysicalUnitsXDirection PhysicalUnitsYDirection ReferencePixelX0
    ReferencePixelY0 ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY RegionFlags RegionDataType
    RegionSpatialFormat RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1
    UltrasoundColorDataPresent TransducerFrequency PulseRepetitionFrequency DepthOfScanField
    RealWorldValueIntercept RealWorldValueSlope RealWorldValueFirstValueMapped RealWorldValueLastValueMapped
    DoubleFloatRealWorldValueFirstValueMapped DoubleFloatRealWorldValueLastValueMapped
    EnergyWindowVector NumberOfEnergyWindows DetectorVector NumberOfDetectors NumberOfSlices SliceVector
    NumberOfRotations RotationVector NumberOfTimeSlots TimeSlotVector
    """)
# bytes of look-up tables: needed to show the picture
TABLES = frozenset(
    ["LUTData"]
    + [
        f"{kind}{colour}PaletteColorLookupTableData"
        for kind in ("", "Segmented")
        for colour in ("Red", "Green", "Blue")
    ]
)
PICTURES = frozenset(["PixelData", "FloatPixelData", "DoubleFloatPixelData"])
SEQUENCES = _words("""
    ReferencedImageSequence SourceImageSequence ReferencedSeriesSequence ReferencedSOPSequence
    ReferencedInstanceSequence DerivationImageSequence DerivationCodeSequence PurposeOfReferenceCodeSequence
    AnatomicRegionSequence AnatomicRegionModifierSequence PrimaryAnatomicStructureSequence
    PrimaryAnatomicStructureModifierSequence ViewCodeSequence ViewModifierCodeSequence ProcedureCodeSequence
    FrameAnatomySequence FrameContentSequence FrameVOILUTSequence ModalityLUTSequence VOILUTSequence
    PixelMeasuresSequence PixelValueTransformationSequence PlaneOrientationSequence PlanePositionSequence
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence DimensionIndexSequence
    DimensionOrganizationSequence MeasurementUnitsCodeSequence RealWorldValueMappingSequence
    SequenceOfUltrasoundRegions MRTimingAndRelatedParametersSequence MRImageFrameTypeSequence
    CTImageFrameTypeSequence MREchoSequence MRImagingModifierSequence CTExposureSequence CTGeometrySequence
    CTReconstructionSequence ContentItemModifierSequence
    """)
_BODY_PARTS = """
    ABDOMEN ANKLE ARM AXILLA BACK BLADDER BRAIN BREAST BRONCHUS CALCANEUS CAROTID CHEST CLAVICLE COCCYX COLON
    CSPINE CTSPINE DUODENUM ELBOW EXTREMITY EYE FACE FEMUR FINGER FOOT FEET FOREARM FOREFOOT HAND HANDS HEAD
    HEADNECK HEART HIP HUMERUS JAW KIDNEY KNEE LEG LIVER LOWER|LEG LSPINE LSSPINE LUMBARSPINE LUMBAR|SPINE
    CERVICALSPINE CERVICAL|SPINE THORACIC|SPINE LUNG MANDIBLE MAXILLA MEDIASTINUM NECK NOSE ORBIT PANCREAS
    PATELLA PELVIS PROSTATE RIB SACROILIAC SIJOINT SI|JOINT SACRUM SCAPULA SHOULDER SIJ SKULL SPINE SPLEEN
    SSPINE STERNUM STOMACH TLSPINE THIGH THORAX THUMB THYROID TIBIA TOE TSPINE TMJ ULNA UTERUS WHOLE|BODY
    WHOLEBODY WHOLE|SPINE WHOLESPINE WRIST
"""
_IMAGE_TYPE = """
    ORIGINAL DERIVED MIXED PRIMARY SECONDARY AXIAL LOCALIZER OTHER NONE NORMAL VOLUME QUANTITY RESAMPLED
    PROJECTION|IMAGE SINGLE|PLANE BIPLANE|A BIPLANE|B OBSTETRICAL SMALL|PARTS WHOLE|BODY STATIC DYNAMIC TOMO
    GATED EMISSION TRANSMISSION PERFUSION RCBF T1 T2 T2_STAR PROTON_DENSITY DIFFUSION FLOW_ENCODED FLUID_ATT
    STIR TAGGING ADC FA TRACEW M MAGNITUDE P PHASE R REAL I IMAGINARY SE GR IR EP FFE M_SE M_FFE M_IR ND NORM
    DIS2D DIS3D FM MOSAIC MPR MIP MIN_IP MEAN SUM SUBTRACTION WATER FAT IN_PHASE OPP_PHASE POST_PROCESSED
    0001 0002 0010 0011 0100 0101 POSTERIOR ANTERIOR LEFT RIGHT POST|PROCESSED AP PA LAT LATERAL RECON
    WIDE_FIELD
"""
_VIEWS = """
    AP PA LL RL LLD RLD LLO RLO LAO RAO LPO RPO LAT LATERAL OBLIQUE CC MLO ML LM LMO RCC LCC RMLO LMLO DP
    DORSOPALMAR TANGENTIAL AXIAL
"""
_CHARACTER_SETS = r"(?:ISO_IR \d{1,3}|ISO 2022 IR \d{1,3}|GB18030|GBK|)"
_BOOLEAN = "YES NO Y N"
_TERMS = {
    "ImageType": _IMAGE_TYPE,
    "FrameType": _IMAGE_TYPE,
    "Modality": """
        CR DX DR RG XR MG XA RF US MR CT NM PT BMD OP OPT ES XC GM SM IO PX RTIMAGE OT SC PR SR SEG ECG
        """,
    "PhotometricInterpretation": """
        MONOCHROME1 MONOCHROME2 PALETTE|COLOR RGB YBR_FULL YBR_FULL_422 YBR_PARTIAL_422 YBR_PARTIAL_420
        YBR_ICT YBR_RCT ARGB CMYK HSV XYB
        """,
    "PixelPresentation": "MONOCHROME COLOR MIXED TRUE_COLOR",
    "PresentationIntentType": "FOR|PRESENTATION FOR|PROCESSING",
    "PresentationLUTShape": "IDENTITY INVERSE LIN|OD",
    "RescaleType": "OD HU US MGML Z_EFF ED EDW HU_MOD PCT",
    "ModalityLUTType": "OD HU US MGML Z_EFF ED EDW HU_MOD PCT",
    "VOILUTFunction": "LINEAR LINEAR_EXACT SIGMOID",
    "LossyImageCompression": "00 01",
    "LossyImageCompressionMethod": """
        ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_15444_15 ISO_13818_2 ISO_14496_10
        """,
    "BurnedInAnnotation": _BOOLEAN,
    "RecognizableVisualFeatures": _BOOLEAN,
    "PatientPosition": "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFDR AFDL PFDR PFDL",
    "BodyPartExamined": _BODY_PARTS,
    "ViewPosition": _VIEWS,
    "Laterality": "R L B U",
    "ImageLaterality": "R L B U",
    "FrameLaterality": "R L B U",
    "PixelIntensityRelationship": "LIN LOG DISP",
    "VolumetricProperties": "VOLUME SAMPLED DISTORTED MIXED",
    "VolumeBasedCalculationTechnique": "NONE MAX_IP MIN_IP VOLUME_RENDER MPR CURVED_MPR MIXED",
    "ComplexImageComponent": "MAGNITUDE PHASE REAL IMAGINARY MIXED",
    "AcquisitionContrast": """
        T1 T2 T2_STAR PROTON_DENSITY DIFFUSION FLOW_ENCODED FLUID_ATTENUATED PERFUSION STIR TAGGING TOF MIXED
        UNKNOWN
        """,
    "MRAcquisitionType": "1D 2D 3D",
    "ScanningSequence": "SE IR GR EP RM",
    "SequenceVariant": "SK MTC SS TRSS SP MP OSP NONE OTHER",
    "ScanOptions": "PER RG CG PPG FC PFF PFP SP FS SAT1 SAT2",
    "ConversionType": "DV DI DF WSD SD SI DRW SYN",
    "ContentQualification": "PRODUCT RESEARCH SERVICE",
    "DetectorType": "DIRECT SCINTILLATOR STORAGE FILM",
    "FieldOfViewShape": "RECTANGLE ROUND HEXAGONAL",
    "CollimatorShape": "RECTANGULAR CIRCULAR POLYGONAL",
    "ShutterShape": "RECTANGULAR CIRCULAR POLYGONAL BITMAP",
    "ExposureControlMode": "MANUAL AUTOMATIC",
    "CassetteOrientation": "LANDSCAPE PORTRAIT",
    "CorrectedImage": "DECY ATTN SCAT DTIM MOTN CLN NRGY LIN RAN",
    "TransducerType": "SECTOR_PHASED SECTOR_MECH SECTOR_ANNULAR LINEAR CURVED|LINEAR SINGLE_CRYSTAL",
    "WindowCenterWidthExplanation": """
        NORMAL HARDER SOFTER WINDOW1 WINDOW2 WINDOW3 BONE SOFT|TISSUE LUNG BRAIN ABDOMEN MEDIASTINUM
        """,
}
_PATTERNS = {
    "SpecificCharacterSet": _CHARACTER_SETS,
    "PatientOrientation": r"(?:[APRLHF]{1,3}|[APRLHF][a-z]{0,3}|)",
    "StackID": r"\d{0,6}",
}
_IN_PLACE_OF_OTHERS = {"ImageType": "OTHER", "FrameType": "OTHER"}


@lru_cache(maxsize=4096)
def kind_of(tag: BaseTag) -> str:
    """How an entry is treated: ``number``, ``term``, ``text``, ``uid``, ``date``, ``sequence``, ``table``,
    ``picture``, ``offsets``, ``study`` (an identifier of the trial), ``empty`` (there, without a value) or
    ``""`` (not on the list).
    """
    if not dictionary_has_tag(tag) or tag.group in {0x0002, 0x0004} or tag.element == 0:
        return ""
    keyword = keyword_for_tag(tag)
    if dictionary_VR(tag) == "UI" and tag.group < 0x5000:
        return "uid"
    for kind, keywords in _KINDS:
        if keyword in keywords:
            return kind
    return ""


_KINDS = (
    ("number", NUMBERS),
    ("term", frozenset([*_TERMS, *_PATTERNS])),
    ("text", TEXTS),
    ("date", frozenset(SHIFTED_DATES)),
    ("sequence", SEQUENCES),
    ("table", TABLES),
    ("picture", PICTURES),
    ("offsets", frozenset(["ExtendedOffsetTable", "ExtendedOffsetTableLengths"])),
    ("study", frozenset(STUDY_IDENTIFIERS)),
    ("empty", frozenset(EMPTY_NOT_GONE)),
)


@lru_cache(maxsize=4096)
def representations(tag: BaseTag) -> frozenset[str]:
    """The value representations that the dictionary gives a tag ("US or SS" are two)."""
    return frozenset(dictionary_VR(tag).split(" or "))


def as_terms(keyword: str, values: list[str]) -> list[str] | None:
    """The values where each is a defined term of the tag (or ``OTHER`` in its place), else None."""
    allowed = _compiled(keyword)
    other = _IN_PLACE_OF_OTHERS.get(keyword)
    kept = [value if allowed.fullmatch(value) else other for value in values]
    return None if None in kept else [str(value) for value in kept]


@lru_cache(maxsize=256)
def _compiled(keyword: str) -> re.Pattern[str]:
    if keyword in _PATTERNS:
        return re.compile(_PATTERNS[keyword])
    terms = sorted({term.replace("|", " ") for term in _TERMS[keyword].split()})
    return re.compile("|".join(map(re.escape, ["", *terms])))
