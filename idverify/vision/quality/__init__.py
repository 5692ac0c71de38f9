"""Face image quality after ISO/IEC 29794-5: measures by theme and one verdict with advice; it refuses nothing."""

from idverify.vision.quality.advice import Advice
from idverify.vision.quality.gates import QualityGate
from idverify.vision.quality.measure import Measure, MeasureName
from idverify.vision.quality.verdict import QualityVerdict, assess

__all__ = ["Advice", "Measure", "MeasureName", "QualityGate", "QualityVerdict", "assess"]
